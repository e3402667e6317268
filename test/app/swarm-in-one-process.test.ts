import { createDecipheriv, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OpenOptions, SubmitRequest, SwarmApp } from '../../src/app/api-types.ts'
import { openApp } from '../../src/app/compose.ts'
import type { JobEvent } from '../../src/domain/events.ts'
import type { JobId } from '../../src/domain/ids.ts'
import { invert } from '../../src/tasks/invert/invert.ts'

const MIB = 1024 * 1024
const CHUNK_BYTES = 64 * 1024
/** Handles that hold a process open; timers of libp2p that ended may still be listed for a moment. */
const HANDLES = ['TCPServerWrap', 'TCPSocketWrap', 'PipeWrap', 'MessagePort', 'Worker', 'FSReqPromise']

const folder = mkdtempSync(join(tmpdir(), 'swarm-app-'))
const input = join(folder, 'input.raw')
const bytes = randomBytes(2 * MIB + 4)
const { signal } = new AbortController()
const handlesBefore = handles()
let studio: SwarmApp
let attic: SwarmApp
let desk: SwarmApp

function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => HANDLES.includes(name))
    .sort()
}

function open(name: string, role: OpenOptions['role'], code?: string): Promise<SwarmApp> {
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const home = join(folder, name)
  const options = { home, role, name, listen, peers: [], threads: 1, mdns: false }
  return openApp(code === undefined ? options : { ...options, code }, { signal })
}

function request(out: string, changes: Partial<SubmitRequest> = {}): SubmitRequest {
  const paths = { inputPath: input, outRoot: folder, outDir: join(folder, out) }
  const how = { task: 'invert', local: 'never', chunkBytes: CHUNK_BYTES, minPeers: 2, waitMs: 20_000 } as const
  return { ...paths, ...how, detach: false, peers: [], ...changes }
}

async function run(app: SwarmApp, asked: SubmitRequest) {
  const events: JobEvent[] = []
  for await (const event of app.submit(asked, { signal })) events.push(event)
  const last = events.at(-1)
  if (last?.event !== 'done') throw new Error(`the job ended with ${JSON.stringify(last)}`)
  return { done: last, events }
}

/** Looks until it holds. Ledgers agree within seconds, at no moment that could be waited for. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUp = AbortSignal.timeout(10_000)
  while (!(await holds())) {
    giveUp.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function decrypted(out: string): Buffer {
  const read = (name: string) => readFileSync(join(folder, out, name))
  const decipher = createDecipheriv('aes-256-cbc', read('encryption_key.bin'), read('encryption_iv.bin'))
  return Buffer.concat([decipher.update(read('result.raw.enc')), decipher.final()])
}

function expected(): Uint8Array {
  return invert.run(new Uint8Array(bytes), { kind: 'invert', params: new Uint8Array(0), reverse: true })
}

beforeAll(async () => {
  writeFileSync(input, bytes)
  studio = await open('studio', 'joined')
  const { code } = await studio.invite({ signal })
  attic = await open('attic', 'joined', code)
  // A home becomes a member by joining once; after that it may open for the time of a command.
  await (await open('desk', 'joined', code)).stop()
  desk = await open('desk', 'one-off')
}, 60_000)

afterAll(async () => {
  await Promise.all([studio, attic, desk].map((app) => app?.stop()))
  rmSync(folder, { recursive: true, force: true })
}, 30_000)

describe('three peers in one process', () => {
  test('do a job of a one-off submitter: the peers all of it, to the bytes of one machine', async () => {
    const { done, events } = await run(desk, request('never'))
    expect(Buffer.compare(decrypted('never'), expected())).toBe(0)
    expect(done).toMatchObject({ chunks: 33, localChunks: 0 })
    expect(done.peers.map(({ name }) => name).sort()).toEqual(['attic', 'studio'])
    expect(done.peers.reduce((sum, { units }) => sum + units, 0)).toBe(bytes.byteLength / 4)
    expect(events[0]).toMatchObject({ event: 'accepted' })
    expect(readdirSync(join(folder, 'never')).sort()).toEqual([
      'encryption_iv.bin',
      'encryption_key.bin',
      'job.json',
      'ledger.bin',
      'result.raw.enc',
      'result.raw.enc.hmac'
    ])
  })

  test('then agree on who did what', async () => {
    const credit = async (app: SwarmApp) => {
      const { rows, receipts } = await app.ledger({}, { signal })
      const peers = rows.filter(({ rank }) => rank > 0).map(({ peerId, chunks, units }) => ({ peerId, chunks, units }))
      return JSON.stringify({ receipts, peers })
    }
    const own = await credit(desk)
    expect(JSON.parse(own)).toMatchObject({ receipts: 33 })
    await until(async () => (await credit(studio)) === own && (await credit(attic)) === own)
  })

  test('give a joined submitter the same bytes with the work kept where it pays', async () => {
    const { done } = await run(studio, request('auto', { local: 'auto', minPeers: 0 }))
    expect(Buffer.compare(decrypted('auto'), expected())).toBe(0)
    expect(done.localChunks).toBeGreaterThan(0)
  })

  test('leave a result plain when asked', async () => {
    await run(studio, request('plain', { encrypt: false, minPeers: 1 }))
    expect(Buffer.compare(readFileSync(join(folder, 'plain', 'result.raw')), expected())).toBe(0)
  })

  test('resume a stopped job once, whoever asks at the same time', async () => {
    const stopping = new AbortController()
    let jobId: JobId | undefined
    for await (const event of studio.submit(request('resumed', { minPeers: 9 }), { signal: stopping.signal })) {
      if (event.event === 'accepted') {
        jobId = event.jobId
        stopping.abort()
      }
      if (event.event === 'stopped') expect(event.message).toContain('swarm jobs resume')
    }
    if (jobId === undefined) throw new Error('the job was not accepted')
    const record = jobId
    const resumed = await Promise.allSettled(
      [1, 2].map(async () => {
        const leaving = new AbortController()
        for await (const { event } of studio.resume(record, { signal: leaving.signal })) {
          if (event === 'progress') leaving.abort()
        }
      })
    )
    expect(resumed.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(resumed.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'JOB_RUNNING' } })
    expect((await studio.cancel(record, { signal })).state).toBe('cancelled')
    await expect(studio.cancel(record, { signal })).rejects.toMatchObject({ code: 'JOB_ENDED' })
  })

  test('do not resume a failed job: a sealed one would come out plain, since its key is gone', async () => {
    const events: JobEvent[] = []
    const impossible = request('failed', { minPeers: 9, waitMs: 200 })
    for await (const event of studio.submit(impossible, { signal })) events.push(event)
    const last = events.at(-1)
    expect(last).toMatchObject({ event: 'failed', code: 'NO_PEERS' })
    if (last === undefined) throw new Error('the job had no events')
    const resume = async () => {
      for await (const event of studio.resume(last.jobId, { signal })) expect.fail(`it was resumed: ${event.event}`)
    }
    await expect(resume()).rejects.toMatchObject({ code: 'JOB_ENDED' })
    expect(readdirSync(join(folder, 'failed'))).toEqual([])
  })

  test('leave no socket, thread or file open when they stop', async () => {
    await Promise.all([studio.stop(), attic.stop(), desk.stop()])
    await until(async () => handles().length <= handlesBefore.length)
    expect(handles()).toEqual(handlesBefore)
    expect(readdirSync(join(folder, 'studio')).filter((name) => name.endsWith('.sock'))).toEqual([])
  }, 30_000)
})
