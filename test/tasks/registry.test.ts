import { expect, test } from 'vitest'
import { EXIT_CODES } from '../../src/errors.ts'
import { findTaskKind, requireTaskKind, TASK_KINDS } from '../../src/tasks/registry.ts'

test('finds each kind by its name', () => {
  for (const task of TASK_KINDS) expect(findTaskKind(task.kind)).toBe(task)
})

test('knows nothing else, not even what objects inherit', () => {
  for (const name of ['', 'Invert', 'constructor', '__proto__', './invert.js'])
    expect(findTaskKind(name)).toBeUndefined()
})

test('gives each kernel an id of its own', () => {
  expect(new Set(TASK_KINDS.map((task) => task.kernelId)).size).toBe(TASK_KINDS.length)
})

test('verifies in blocks of whole samples', () => {
  for (const task of TASK_KINDS) expect((task.verifyBlockBytes ?? 0) % task.sampleBytes).toBe(0)
})

test('names the kinds there are to whoever asks for another', () => {
  const refused = expect.objectContaining({ code: 'TASK_UNKNOWN', exitCode: EXIT_CODES.usage })
  expect(() => requireTaskKind('sorting')).toThrow(refused)
  expect(() => requireTaskKind('sorting')).toThrow(/"sorting".*invert/)
  expect(requireTaskKind('invert').kind).toBe('invert')
})
