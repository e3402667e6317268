import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { JobDetail, JobFigures } from '../../src/app/api-types.ts'
import { JobsReplay } from '../../src/commands/jobs/replay.ts'
import { JobsShow } from '../../src/commands/jobs/show.ts'
import { Jobs } from '../../src/commands/jobs.ts'
import type { JobId } from '../../src/domain/ids.ts'
import { ACCEPTED, DONE, FakeApp, JOB, JOB_DETAIL, OTHER_JOB } from '../api/fake-app.ts'
import { runCommand } from './run-command.ts'

const FIGURES: JobFigures = {
  kernelId: 'invert-f32-1',
  local: 'auto',
  dimensions: { samples: 2_000_000 },
  unit: 'samples',
  units: 2_000_000,
  outputBytes: 8_000_000,
  chunks: 4,
  localChunks: 1,
  peerCount: 1,
  peers: [],
  releases: 0,
  duplicates: 0,
  totalMs: 2_000,
  computeMs: 1_500,
  transferMs: 500,
  averageChunkMs: 375,
  bytesPerSecond: 4_000_000,
  unitsPerSecond: 1_000_000,
  efficiency: 75
}
const PRODUCT: JobFigures = {
  ...FIGURES,
  kernelId: 'matrix-fast-f32-ort-1.30.0',
  dimensions: { rows: 4096, inner: 700, columns: 1300, tileRows: 512, tileColumns: 512 },
  unit: 'flops',
  units: 7.45e9,
  unitsPerSecond: 3.727e9
}
const folder = mkdtempSync(join(tmpdir(), 'swarm-command-'))
const input = join(folder, 'in.f32')
writeFileSync(input, new Uint8Array(8_000_000))

/** An app with one ended job, and another that comes of submitting. */
class ReplayApp extends FakeApp {
  original: JobDetail
  replay: JobDetail

  constructor() {
    super()
    this.script = [ACCEPTED, { ...DONE, jobId: OTHER_JOB }]
    this.original = { ...ended(JOB), outputs: outputs('original', [1, 2, 3, 4]) }
    this.replay = { ...ended(OTHER_JOB), outputs: outputs('replay', [1, 2, 3, 4]) }
  }

  override async job(id: JobId): Promise<JobDetail> {
    return id === OTHER_JOB ? this.replay : this.original
  }

  override async jobs(): Promise<JobDetail[]> {
    return [this.replay, this.original]
  }
}

function outputs(name: string, bytes: readonly number[]) {
  const result = join(folder, name)
  writeFileSync(result, Uint8Array.from(bytes))
  return { result, manifest: '', ledger: '' }
}

function ended(jobId: JobId): JobDetail {
  const request = { inputPath: input, task: 'invert', local: 'never', minPeers: 1, waitMs: 5 } as const
  const { mtimeMs: modifiedMs, size: byteLength } = statSync(input)
  const recipe = { request, inputs: [{ path: input, byteLength, modifiedMs }] }
  return { ...JOB_DETAIL, jobId, state: 'done', mergedBytes: 8_000_000, inputPath: input, figures: FIGURES, recipe }
}

let app: ReplayApp
beforeEach(() => {
  app = new ReplayApp()
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('jobs replay', () => {
  test('runs the job again as a new one, through the process of the home or a peer of its own', async () => {
    const { asked, terminal } = await runCommand(JobsReplay, [JOB, '--out', 'again', '--peer', '/ip4/1.2.3.4/tcp/1'], {
      app
    })
    expect(asked).toMatchObject([['connectOrOpen', { role: 'one-off', peers: ['/ip4/1.2.3.4/tcp/1'] }]])
    const request = {
      inputPath: input,
      task: 'invert',
      local: 'never',
      minPeers: 1,
      waitMs: 5,
      outRoot: resolve('swarm-out'),
      outDir: resolve('again'),
      detach: false,
      peers: ['/ip4/1.2.3.4/tcp/1']
    }
    expect(app.calls).toEqual([['submit', request]])
    expect(terminal.exitCode).toBeUndefined()
    expect(app.stops).toBe(1)
  })

  test('prints both side by side, with ratios', async () => {
    app.replay = {
      ...app.replay,
      figures: { ...FIGURES, totalMs: 4_000, unitsPerSecond: 500_000, bytesPerSecond: 2e6 }
    }
    const { terminal } = await runCommand(JobsReplay, [JOB], { app })
    const text = terminal.outLines.join('\n')
    expect(text).toMatch(/job +a\w+ +z\w+\n/)
    expect(text).toMatch(/total +2\.0 s +4\.0 s +2\.00×/)
    expect(text).toMatch(/throughput +4\.00 MB\/s +2\.00 MB\/s +0\.50×/)
    expect(text).toMatch(/chunks +4 \(1 here\) +4 \(1 here\)/)
    expect(text).toContain('result: equal, all 4 bytes')
  })

  test('ends with the comparison as JSON', async () => {
    const { terminal } = await runCommand(JobsReplay, [JOB, '--json'], { app })
    const lines = terminal.outLines.map((line) => JSON.parse(line))
    expect(lines.map(({ event }) => event)).toEqual(['accepted', 'done', 'replayed'])
    expect(lines.at(-1)).toMatchObject({
      original: { jobId: JOB },
      replay: { jobId: OTHER_JOB },
      mustBeEqual: true,
      result: { compared: true, equal: true, originalBytes: 4 },
      ratios: { totalMs: 1 }
    })
  })

  test('exits with 3 when the results differ', async () => {
    app.replay = { ...app.replay, outputs: outputs('other', [1, 2, 9, 4]) }
    const { terminal } = await runCommand(JobsReplay, [JOB], { app })
    expect(terminal.exitCode).toBe(3)
    expect(terminal.outLines.join('\n')).toContain('DIFFERENT, and must not be: first at byte 2')
  })

  test('exits with 0 when the fast kernel gave other bytes', async () => {
    app.original = { ...app.original, figures: PRODUCT }
    app.replay = { ...app.replay, figures: PRODUCT, outputs: outputs('other', [1, 2, 9, 4]) }
    const { terminal } = await runCommand(JobsReplay, [JOB], { app })
    expect(terminal.exitCode).toBeUndefined()
    expect(terminal.outLines.join('\n')).toContain('different, as this kernel may be')
  })

  test('tells that the kernels were not the same', async () => {
    app.replay = { ...app.replay, figures: { ...FIGURES, kernelId: 'invert-f32-2' } }
    const { terminal } = await runCommand(JobsReplay, [JOB], { app })
    expect(terminal.outLines.join('\n')).toContain('different kernels')
  })

  test('a replay that fails is not compared, and keeps its exit code', async () => {
    app.script = [ACCEPTED, { event: 'failed', jobId: OTHER_JOB, code: 'NO_PEERS', message: 'nobody came' }]
    const { terminal } = await runCommand(JobsReplay, [JOB, '--json'], { app })
    expect(terminal.exitCode).toBe(69)
    expect(terminal.outLines.at(-1)).toContain('failed')
  })

  test('a changed input is refused before anything runs', async () => {
    const { recipe } = app.original
    const inputs = recipe?.inputs.map((stamp) => ({ ...stamp, byteLength: 7_999_996 })) ?? []
    app.original = { ...app.original, ...(recipe && { recipe: { ...recipe, inputs } }) }
    const { terminal } = await runCommand(JobsReplay, [JOB, '--json'], { app })
    expect(JSON.parse(terminal.outLines[0] ?? '')).toMatchObject({ event: 'error', code: 'INPUT_CHANGED' })
    expect(app.calls).toEqual([])
    expect(app.stops).toBe(1)
  })

  test('refuses what is no job id', async () => {
    const { asked, terminal } = await runCommand(JobsReplay, ['nonsense', '--json'])
    expect(JSON.parse(terminal.outLines[0] ?? '')).toMatchObject({ code: 'JOB_ID_MALFORMED' })
    expect(terminal.exitCode).toBe(2)
    expect(asked).toEqual([])
  })
})

describe('jobs', () => {
  test('lists dimensions, peers, chunks, time, throughput and efficiency', async () => {
    app.original = { ...app.original, task: 'matrix', figures: PRODUCT }
    const { terminal } = await runCommand(Jobs, [], { app })
    const text = terminal.outLines.join('\n')
    expect(text).toMatch(/done +invert +2,000,000 samples +100 % +1 +4 +2\.0 s +4\.00 MB\/s +75 %/)
    expect(text).toMatch(/done +matrix +4096×700 · 700×1300 +100 % +1 +4 +2\.0 s +3\.73 GFLOP\/s +75 %/)
  })

  test.for([
    [2, ' 2 FLOP/s'],
    [999_499, '999 kFLOP/s'],
    [999_600, '1.00 MFLOP/s'],
    [1.234e12, '1.23 TFLOP/s'],
    [5e18, '5,000 PFLOP/s']
  ] as const)('writes %d operations a second in three digits', async ([unitsPerSecond, text]) => {
    app.original = { ...app.original, figures: { ...PRODUCT, unitsPerSecond } }
    const { terminal } = await runCommand(Jobs, [], { app })
    expect(terminal.outLines.join('\n')).toContain(text)
  })

  test('gives every figure as JSON', async () => {
    const { terminal } = await runCommand(Jobs, ['--json'], { app })
    expect(JSON.parse(terminal.outLines[0] ?? '')).toMatchObject({ jobs: [{ figures: FIGURES }, { figures: FIGURES }] })
  })

  test('lists jobs of a process that tells no figures', async () => {
    const { figures: _, ...older } = app.original
    app.jobs = async () => [older]
    const { terminal } = await runCommand(Jobs, [], { app })
    expect(terminal.outLines.join('\n')).toContain(`${JOB}  done`)
  })

  test('shows one in full, and how to run it again', async () => {
    app.original = { ...app.original, figures: PRODUCT }
    const { terminal } = await runCommand(JobsShow, [JOB], { app })
    const text = terminal.outLines.join('\n')
    expect(text).toContain('kernel matrix-fast-f32-ort-1.30.0, local auto')
    expect(text).toContain('4096×700 · 700×1300, tiles of 512×512 (1.05 MB), 7.45 GFLOP done, 3.73 GFLOP/s')
    expect(text).toContain('compute 1.5 s, transfer 500 ms, 375 ms per chunk')
    expect(text).toContain(`swarm jobs replay ${JOB}`)
  })
})
