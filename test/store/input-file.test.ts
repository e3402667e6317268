import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { expect, test } from 'vitest'
import { EXIT_CODES } from '../../src/errors.ts'
import { checkInputFile } from '../../src/store/input-file.ts'
import { makeFolder } from './sink-support.ts'

test('gives path, size and modification time of a file', async () => {
  const path = join(makeFolder(), 'input.f32')
  writeFileSync(path, 'samples')
  const input = await checkInputFile(path)
  expect(input).toMatchObject({ path, byteLength: 7 })
  expect(isAbsolute(input.path)).toBe(true)
  expect(input.modifiedMs).toBeGreaterThan(0)
})

test('takes an empty file: whether that will do is for the task to say', async () => {
  const path = join(makeFolder(), 'empty.f32')
  writeFileSync(path, '')
  expect((await checkInputFile(path)).byteLength).toBe(0)
})

test('says when there is no such file', async () => {
  const folder = makeFolder()
  writeFileSync(join(folder, 'file'), '')
  for (const path of [join(folder, 'gone'), join(folder, 'file', 'below')]) {
    await expect(checkInputFile(path)).rejects.toMatchObject({ code: 'INPUT_MISSING', exitCode: EXIT_CODES.usage })
  }
})

test.skipIf(process.platform === 'win32')('refuses folders and pipes, without waiting for them', async () => {
  const folder = makeFolder()
  execFileSync('mkfifo', [join(folder, 'pipe')])
  for (const path of [folder, join(folder, 'pipe')]) {
    await expect(checkInputFile(path)).rejects.toMatchObject({ code: 'INPUT_NOT_A_FILE' })
  }
})

test.skipIf(process.getuid?.() === 0)('says when the file may not be read', async () => {
  const path = join(makeFolder(), 'secret.f32')
  writeFileSync(path, 'samples')
  chmodSync(path, 0o000)
  await expect(checkInputFile(path)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
})

test('says when the name is too long to be read', async () => {
  const path = join(makeFolder(), 'n'.repeat(5_000))
  await expect(checkInputFile(path)).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
})
