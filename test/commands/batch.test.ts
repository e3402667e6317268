import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SubmitRequest, Waiting } from '../../src/app/api-types.ts'
import { findResumable } from '../../src/app/batch-folder.ts'
import { makeRecipe } from '../../src/app/batch-recipe.ts'
import { ROOM_LOOKS_MAX, runBatchJob } from '../../src/commands/base/batch-job.ts'
import { runInLanes } from '../../src/commands/base/batch-lanes.ts'
import { Batch } from '../../src/commands/batch.ts'
import type { JobEvent } from '../../src/domain/events.ts'
import type { JobId } from '../../src/domain/ids.ts'
import { SwarmError } from '../../src/errors.ts'
import { ACCEPTED, DONE, FakeApp, JOB, JOB_DETAIL, STOPPED } from '../api/fake-app.ts'
import { runCommand, startCommand } from './run-command.ts'

let folder: string
let out: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-batch-'))
  out = join(folder, 'out')
  for (const name of ['a.wav', 'b.wav', 'c.wav', 'd.wav']) writeFileSync(join(folder, name), 'audio')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** An app whose jobs go by their files: `b` fails, the others are done. It counts how many run side by side. */
class FilesApp extends FakeApp {
  running = 0
  mostRunning = 0
  /** By name of the file. */
  scripts: Readonly<Record<string, readonly JobEvent[]>> = {
    'b.wav': [ACCEPTED, { event: 'failed', jobId: JOB, code: 'DISK_FULL', message: 'make room' }]
  }

  override submit(request: SubmitRequest, options: Waiting): AsyncIterable<JobEvent> {
    const base = super.submit(request, options)
    const script = this.scripts[request.inputPath.slice(folder.length + 1)]
    return this.#counted(script ?? base)
  }

  async *#counted(events: Iterable<JobEvent> | AsyncIterable<JobEvent>): AsyncIterable<JobEvent> {
    this.running++
    this.mostRunning = Math.max(this.mostRunning, this.running)
    try {
      for await (const event of events) yield event
    } finally {
      this.running--
    }
  }
}

function requests(app: FakeApp): SubmitRequest[] {
  return app.calls.map(([, request]) => request as SubmitRequest)
}

function jsonLines(lines: readonly string[]): Record<string, unknown>[] {
  return lines.map((line) => JSON.parse(line))
}

/** Leaves what a job without effects leaves when it is done. */
function leaveResult(name: string): void {
  const folderOut = join(out, name)
  mkdirSync(folderOut, { recursive: true })
  const path = join(folder, `${name}.wav`)
  const { mtimeMs, size } = statSync(path)
  writeFileSync(join(folderOut, 'result.wav'), '')
  const input = { path, byteLength: size, modifiedMs: mtimeMs }
  const manifest = { task: 'wav', input, reversed: false, encrypted: false, outputs: { result: 'result.wav' } }
  writeFileSync(join(folderOut, 'job.json'), JSON.stringify(manifest))
}

describe('batch', () => {
  test('submits a job for each file, with the flags of all and a folder of its own', async () => {
    const flags = ['--effects', 'gain -3', '--format', 'pcm24', '--salvage', '--local', 'only', '--chunk-size', '1MiB']
    const { app, asked } = await runCommand(Batch, [folder, '--out', out, ...flags, '--no-mdns', '--home', '/h'])
    expect(requests(app).map(({ inputPath, outDir }) => [inputPath, outDir])).toEqual(
      ['a', 'b', 'c', 'd'].map((name) => [join(folder, `${name}.wav`), join(out, name)])
    )
    expect(requests(app)[0]).toMatchObject({
      task: 'wav',
      audio: { folder: process.cwd(), effects: 'gain -3', format: 'pcm24', salvage: true },
      local: 'only',
      chunkBytes: 1_048_576,
      detach: false
    })
    expect(asked).toEqual([['connectOrOpen', { home: '/h', role: 'one-off', listen: [], peers: [], mdns: false }]])
    expect(app.stops).toBe(1)
  })

  test('goes on after a failure, tells it twice, and exits 1', async () => {
    const app = new FilesApp()
    const { terminal } = await runCommand(Batch, [folder, '--out', out], { app })
    expect(requests(app)).toHaveLength(4)
    expect(terminal.errLines.filter((line) => /^failed .*b\.wav: make room \(DISK_FULL\)$/.test(line))).toHaveLength(1)
    const table = terminal.outLines.join('\n')
    expect(table).toMatch(/b\.wav +failed .*make room \(DISK_FULL\)/)
    expect(table).toContain('3 done, 1 failed, 0 skipped of 4 files')
    expect(terminal.exitCode).toBe(1)
  })

  test('goes on when a job is refused before it begins', async () => {
    const app = new FakeApp()
    app.refusal = new SwarmError('WAV_MALFORMED', 'no data chunk', { exitCode: 2 })
    const { terminal } = await runCommand(Batch, [folder, '--out', out, '--json'], { app })
    const lines = jsonLines(terminal.outLines)
    expect(lines.slice(0, -1).map(({ event, code }) => [event, code])).toEqual(
      new Array(4).fill(['failed', 'WAV_MALFORMED'])
    )
    expect(lines.at(-1)).toMatchObject({ event: 'batch', done: 0, failed: 4, skipped: 0 })
    expect(terminal.exitCode).toBe(1)
  })

  test('runs as many jobs side by side as it is told', async () => {
    const app = new FilesApp()
    const { terminal } = await runCommand(Batch, [folder, '--out', out, '--jobs', '3', '--json'], { app })
    expect(app.mostRunning).toBe(3)
    const files = ['a.wav', 'b.wav', 'c.wav', 'd.wav'].map((name) => ({ file: expect.stringMatching(name) }))
    expect(jsonLines(terminal.outLines).at(-1)).toMatchObject({ event: 'batch', done: 3, failed: 1, files })
  })

  test('skips what is done', async () => {
    leaveResult('a')
    leaveResult('c')
    const { app, terminal } = await runCommand(Batch, [folder, '--out', out])
    expect(requests(app).map(({ inputPath }) => inputPath.slice(-5))).toEqual(['b.wav', 'd.wav'])
    expect(terminal.errLines[0]).toMatch(/^skipped \(done\) 1\/4 .*a\.wav$/)
    expect(terminal.outLines.join('\n')).toContain('2 done, 0 failed, 2 skipped of 4 files')
    expect(terminal.exitCode).toBeUndefined()
  })

  test('opens no peer when nothing is left to do', async () => {
    for (const name of ['a', 'b', 'c', 'd']) leaveResult(name)
    const { asked, terminal } = await runCommand(Batch, [folder, '--out', out])
    expect(asked).toEqual([])
    expect(terminal.outLines.join('\n')).toContain('0 done, 0 failed, 4 skipped of 4 files')
    expect(terminal.exitCode).toBeUndefined()
  })

  test('does not touch a folder with another result', async () => {
    leaveResult('a')
    const { app, terminal } = await runCommand(Batch, [join(folder, 'a.wav'), '--out', out, '--effects', 'gain -3'])
    expect(app.calls).toEqual([])
    expect(terminal.errLines[0]).toContain('made without effects: choose another --out, or move it away')
    expect(terminal.exitCode).toBe(1)
  })

  test('goes on with the job that was interrupted', async () => {
    mkdirSync(join(out, 'a'), { recursive: true })
    writeFileSync(join(out, 'a', `.result.wav.${JOB}.partial`), '')
    const path = join(folder, 'a.wav')
    const { mtimeMs, size } = statSync(path)
    const recipe = {
      request: { inputPath: path, task: 'wav', local: 'auto' as const, minPeers: 0, waitMs: 0 },
      inputs: [{ path, byteLength: size, modifiedMs: mtimeMs }]
    }
    const app = new FakeApp()
    app.job = async (jobId: JobId) => ({ ...JOB_DETAIL, jobId, state: 'stopped' as const, recipe })
    await runCommand(Batch, [path, join(folder, 'b.wav'), '--out', out, '--jobs', '1'], { app })
    expect(app.calls.map(([method]) => method)).toEqual(['resume', 'submit'])
  })

  test('says how to remove what an interrupted job left that it cannot go on with', async () => {
    mkdirSync(join(out, 'a'), { recursive: true })
    writeFileSync(join(out, 'a', `.result.wav.${JOB}.partial`), '')
    const app = new FakeApp()
    app.job = async () => ({ ...JOB_DETAIL, state: 'stopped' as const })
    const { terminal } = await runCommand(Batch, [join(folder, 'a.wav'), '--out', out], { app })
    expect(app.calls.map(([method]) => method)).toEqual(['submit'])
    expect(terminal.errLines[0]).toContain(`"swarm jobs cancel ${JOB}" removes`)
  })

  test('stops its jobs on Ctrl-C, says what is left, and exits 130', async () => {
    const app = new FakeApp()
    app.waits = true
    app.script = [ACCEPTED]
    const { terminal, ended } = await startCommand(Batch, [folder, '--out', out], { app })
    await app.waiting.promise
    process.emit('SIGINT', 'SIGINT')
    await ended
    expect(terminal.errLines[0]).toBe('stopping the jobs that run; once more to quit at once')
    expect(terminal.outLines.join('\n')).toMatch(/a\.wav +stopped +stopped on request, or run the batch again/)
    expect(terminal.outLines.join('\n')).toMatch(/d\.wav +not started/)
    expect(terminal.outLines.join('\n')).toContain('0 done, 0 failed, 0 skipped, 4 left of 4 files')
    expect(terminal.exitCode).toBe(130)
    expect(app.stops).toBe(1)
  })

  test('fails when somebody else stopped a job', async () => {
    const app = new FilesApp()
    app.scripts = { 'b.wav': [ACCEPTED, STOPPED] }
    const { terminal } = await runCommand(Batch, [folder, '--out', out], { app })
    expect(terminal.outLines.join('\n')).toContain('3 done, 1 failed')
    expect(terminal.exitCode).toBe(1)
  })

  test('begins no other job once the process that runs the home is gone', async () => {
    const app = new FilesApp()
    app.scripts = { 'a.wav': [ACCEPTED], 'b.wav': [ACCEPTED, DONE] }
    const { terminal } = await runCommand(Batch, [folder, '--out', out, '--jobs', '1'], { app })
    expect(requests(app)).toHaveLength(1)
    expect(terminal.errLines[0]).toContain('PROCESS_GONE')
    expect(terminal.outLines.join('\n')).toContain('0 done, 1 failed, 0 skipped, 3 left of 4 files')
    expect(terminal.exitCode).toBe(1)
  })

  test.each([
    ['a path that is not there', ['gone.wav'], 'INPUT_MISSING'],
    ['a pattern that matches nothing', ['gone-*.wav'], 'BATCH_EMPTY'],
    ['no path', [], 'USAGE'],
    ['more jobs than one peer runs', ['.', '--jobs', '9'], 'USAGE'],
    ['a chain that is wrong for all', ['.', '--effects', 'sparkle'], 'CHAIN_INVALID'],
    ['effects for bytes', ['.', '--task', 'invert', '--effects', 'gain 1'], 'OPTION_UNSUITABLE'],
    ['a task that takes two files', ['.', '--task', 'matrix'], 'OPTION_UNSUITABLE']
  ])('is refused as a whole with %s', async (_, argv, code) => {
    const { asked, terminal } = await runCommand(Batch, [...argv, '--json'])
    expect(asked).toEqual([])
    expect(jsonLines(terminal.outLines)).toMatchObject([{ event: 'error', code }])
    expect(terminal.exitCode).toBe(2)
  })
})

describe('a job of a batch', () => {
  const place = { file: 'a.wav', folder: '/out/a', inputBytes: 5 }

  function run(app: FakeApp, sleep: () => Promise<void>) {
    const input = { path: '/a.wav', byteLength: 5, modifiedMs: 1 }
    const wanted = makeRecipe({ task: 'wav' })
    const search = { folder: '/out/a', input, local: 'auto' as const, unfinished: [], wanted }
    const job = { place, request: {} as SubmitRequest, search }
    const { signal } = new AbortController()
    return runBatchJob(job, { app, findResumable, onEvent: () => undefined, sleep }, { signal })
  }

  test('waits while the process has no room for it', async () => {
    const app = new FakeApp()
    app.refusal = new SwarmError('TOO_MANY_JOBS', '8 jobs are running')
    let looks = 0
    const outcome = await run(app, async () => {
      if (++looks === 3) app.refusal = undefined
    })
    expect(outcome.state).toBe('done')
    expect(app.calls).toHaveLength(4)
  })

  test('does not wait for ever', async () => {
    const app = new FakeApp()
    app.refusal = new SwarmError('TOO_MANY_JOBS', '8 jobs are running')
    expect(await run(app, async () => undefined)).toMatchObject({ state: 'failed', code: 'TOO_MANY_JOBS' })
    expect(app.calls).toHaveLength(ROOM_LOOKS_MAX)
  })
})

describe('lanes', () => {
  test('let the others end and begin nothing else when one throws', async () => {
    const begun: number[] = []
    const other = Promise.withResolvers<void>()
    const running = runInLanes(
      [0, 1, 2, 3],
      2,
      async (item) => {
        begun.push(item)
        if (item === 1) throw new Error('a bug')
        await other.promise
      },
      () => false
    )
    other.resolve()
    await expect(running).rejects.toThrow('a bug')
    expect(begun).toEqual([0, 1])
  })
})
