import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { JobDetail, OpenOptions, SubmitRequest, SwarmApp } from '../../src/app/api-types.ts'
import { openApp } from '../../src/app/compose.ts'
import { type MatrixPair, writeMatrices } from '../support/matrix-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-plan-'))
const { signal } = new AbortController()
let product: MatrixPair
let studio: SwarmApp
let attic: SwarmApp

function open(name: string, code?: string): Promise<SwarmApp> {
  const home = { home: join(folder, name), role: 'joined', name } as const
  const options: OpenOptions = { ...home, listen: ['/ip4/127.0.0.1/tcp/0'], peers: [], threads: 1, mdns: false }
  return openApp(code === undefined ? options : { ...options, code }, { signal })
}

function request(changes: Partial<SubmitRequest> = {}): SubmitRequest {
  const { a, b } = product.files
  const files = { inputPath: a, rightPath: b, exact: true, outRoot: folder, outDir: join(folder, 'out') }
  const how = { task: 'matrix', local: 'auto', minPeers: 1, waitMs: 20_000, detach: false, peers: [] } as const
  return { ...files, ...how, ...changes }
}

async function submit(app: SwarmApp, asked: SubmitRequest): Promise<JobDetail> {
  for await (const event of app.submit(asked, { signal })) {
    if (event.event === 'done') return app.job(event.jobId, { signal })
  }
  throw new Error('the job was not done')
}

beforeAll(async () => {
  product = await writeMatrices(folder, { m: 64, k: 64, n: 64 })
  studio = await open('studio')
  attic = await open('attic', (await studio.invite({ signal })).code)
}, 60_000)

afterAll(async () => {
  await Promise.all([studio, attic].map((app) => app?.stop()))
  rmSync(folder, { recursive: true, force: true })
}, 30_000)

describe('a plan of two peers on one machine', () => {
  test('measures the kernel, and says that a small product is faster alone', async () => {
    const plan = await attic.plan(request(), { signal })
    expect(plan).toMatchObject({ task: 'matrix', peers: 1, chunks: 1, faster: 'alone', worthShipping: false })
    expect(plan.summary).toContain('Working alone is faster')
    expect(plan.basis?.kernel.source).toBe('measured')
    expect(plan.basis?.kernel.nsPerByte).toBeGreaterThan(0)
    expect(plan.basis?.kernel.checkNsPerByte).toBeGreaterThan(0)
    expect(plan.basis?.peers).toMatchObject([{ name: 'studio', sameMachine: true, computeSource: 'assumed' }])
  })

  test('remembers what it measured', async () => {
    const { basis } = await attic.plan(request({ local: 'only' }), { signal })
    expect(basis).toMatchObject({ kernel: { source: 'remembered' }, peers: [] })
  })

  test('refuses what submit refuses', async () => {
    const { rightPath: _, ...half } = request()
    await expect(attic.plan(half, { signal })).rejects.toMatchObject({ code: 'OPTION_UNSUITABLE' })
    await expect(attic.plan(request({ task: 'bake' }), { signal })).rejects.toMatchObject({ code: 'TASK_UNKNOWN' })
  })

  test('is kept with the job, beside what happened', async () => {
    const { forecast } = await submit(attic, request({ local: 'never' }))
    expect(forecast).toMatchObject({ peers: 1, sameMachinePeers: 1, faster: 'alone', kernelSource: 'remembered' })
    if (forecast === undefined || !('actualMs' in forecast)) throw new Error('there is no outcome')
    expect(forecast.ratio).toBeCloseTo(forecast.actualMs / forecast.expectedMs, 1)
    const manifest = JSON.parse(readFileSync(join(folder, 'out', 'job.json'), 'utf8'))
    expect(manifest.forecast).toMatchObject({ aloneMs: forecast.aloneMs, swarmMs: forecast.swarmMs })
    expect(manifest.forecast.actualMs).toBe(manifest.metrics.totalMs)
  })

  test('of an inversion rests on its own kernel', async () => {
    const { rightPath: _, exact: __, ...invert } = request({ task: 'invert', inputPath: product.files.a })
    const plan = await attic.plan(invert, { signal })
    expect(plan).toMatchObject({ task: 'invert', worthShipping: false, basis: { kernel: { source: 'measured' } } })
  })
})
