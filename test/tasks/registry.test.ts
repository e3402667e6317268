import { expect, test } from 'vitest'
import { EXIT_CODES } from '../../src/errors.ts'
import { findTaskKind, requireTaskKind, TASK_KINDS } from '../../src/tasks/registry.ts'

const rangeTasks = TASK_KINDS.filter((task) => task.takes === 'ranges')

test('finds each kind by its name', () => {
  for (const task of TASK_KINDS) expect(findTaskKind(task.kind)).toBe(task)
})

test('knows nothing else, not even what objects inherit', () => {
  for (const name of ['', 'Invert', 'constructor', '__proto__', './invert.js'])
    expect(findTaskKind(name)).toBeUndefined()
})

test('gives each kernel an id of its own', () => {
  const kernelIds = rangeTasks.map((task) => task.kernelId)
  expect(new Set(kernelIds).size).toBe(kernelIds.length)
})

test('verifies in blocks of whole samples', () => {
  for (const task of rangeTasks) expect((task.verifyBlockBytes ?? 0) % task.sampleBytes).toBe(0)
})

test('names the kinds there are to whoever asks for another', () => {
  const refused = expect.objectContaining({ code: 'TASK_UNKNOWN', exitCode: EXIT_CODES.usage })
  expect(() => requireTaskKind('sorting')).toThrow(refused)
  expect(() => requireTaskKind('sorting')).toThrow(/"sorting".*invert/)
  expect(requireTaskKind('invert').kind).toBe('invert')
})
