import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type BatchSearch, findBatchFiles } from '../../src/app/batch-files.ts'

const { signal } = new AbortController()
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-batch-'))
  for (const name of [
    'takes/a.wav',
    'takes/b.FLAC',
    'takes/notes.txt',
    'takes/.hidden.wav',
    'takes/.old/h.wav',
    'takes/deep/c.mp3',
    'out/a/result.wav',
    'out/a/job.json',
    'out/a/ledger.bin',
    '[odd] name.wav'
  ]) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), 'x')
  }
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function found(paths: readonly string[], search: Partial<BatchSearch> = {}): Promise<readonly string[]> {
  const files = await findBatchFiles({ paths, folder, task: 'wav', recursive: false, ...search }, { signal })
  return files.map(({ path }) => path.slice(folder.length + 1))
}

describe('files of a batch', () => {
  test('are the audio files of a folder, in order, without what is hidden', async () => {
    expect(await found(['takes'])).toEqual(['takes/a.wav', 'takes/b.FLAC'])
  })

  test('are those of the folders inside as well when asked, but no outputs of jobs', async () => {
    expect(await found(['.'], { recursive: true })).toEqual([
      '[odd] name.wav',
      'takes/a.wav',
      'takes/b.FLAC',
      'takes/deep/c.mp3'
    ])
  })

  test('are all that is not hidden when the task takes any bytes', async () => {
    expect(await found(['takes'], { task: 'invert' })).toEqual(['takes/a.wav', 'takes/b.FLAC', 'takes/notes.txt'])
  })

  test('match a pattern, which finds no folders and no outputs of jobs', async () => {
    expect(await found(['takes/*'])).toEqual(['takes/a.wav', 'takes/b.FLAC', 'takes/notes.txt'])
    expect(await found([join(folder, '**', '*.wav')])).toEqual(['[odd] name.wav', 'takes/a.wav'])
  })

  test('are what is named, whatever it is called, and each once', async () => {
    const names = ['takes/.hidden.wav', '[odd] name.wav', 'takes/notes.txt', 'takes/./notes.txt', 'takes']
    expect(await found(names)).toEqual([
      '[odd] name.wav',
      'takes/.hidden.wav',
      'takes/a.wav',
      'takes/b.FLAC',
      'takes/notes.txt'
    ])
  })

  test('come with length and time of change', async () => {
    const [file] = await findBatchFiles({ paths: ['takes/a.wav'], folder, task: 'wav', recursive: false }, { signal })
    expect(file).toMatchObject({ byteLength: 1 })
    expect(file?.modifiedMs).toBeGreaterThan(0)
  })

  test('leave out links to nothing, and follow links to files', async () => {
    symlinkSync(join(folder, 'gone.wav'), join(folder, 'takes', 'broken.wav'))
    symlinkSync(join(folder, 'takes', 'a.wav'), join(folder, 'takes', 'linked.wav'))
    expect(await found(['takes'])).toEqual(['takes/a.wav', 'takes/b.FLAC', 'takes/linked.wav'])
  })
})

describe('a batch is refused', () => {
  test('when a path is not there', async () => {
    await expect(found(['takes', 'gone.wav'])).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      exitCode: 2,
      message: `there is no file or folder ${join(folder, 'gone.wav')}; check the path`
    })
  })

  test('when nothing matches, saying what was looked for', async () => {
    mkdirSync(join(folder, 'empty'))
    await expect(found(['empty', '*.ogg'])).rejects.toMatchObject({
      code: 'BATCH_EMPTY',
      exitCode: 2,
      message: expect.stringMatching(/empty, \*\.ogg: expected files that end with \.wav, .*--recursive/)
    })
  })

  test('when the task takes two files', async () => {
    await expect(found(['takes'], { task: 'matrix' })).rejects.toMatchObject({ code: 'OPTION_UNSUITABLE', exitCode: 2 })
  })

  test('when a path is neither file nor folder', async () => {
    await expect(found(['/dev/null'])).rejects.toMatchObject({ code: 'INPUT_NOT_A_FILE', exitCode: 2 })
  })

  test('when the task is unknown', async () => {
    await expect(found(['takes'], { task: 'wave' })).rejects.toMatchObject({ code: 'TASK_UNKNOWN', exitCode: 2 })
  })

  test('when it is interrupted', async () => {
    const reason = new Error('stop')
    const search = { paths: ['takes'], folder, task: 'wav', recursive: false }
    await expect(findBatchFiles(search, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  })
})
