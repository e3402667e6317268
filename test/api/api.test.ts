import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectApi } from '../../src/api/client.ts'
import { API_BODY_BYTES_MAX } from '../../src/api/constants.ts'
import { type ApiServer, serveApi } from '../../src/api/server.ts'
import type { SubmitRequest, SwarmApp } from '../../src/app/api-types.ts'
import type { JobEvent } from '../../src/domain/events.ts'
import { SwarmError } from '../../src/errors.ts'
import {
  ACCEPTED,
  DONE,
  FakeApp,
  JOB,
  JOB_DETAIL,
  LEDGER,
  OTHER_JOB,
  PROGRESS,
  READY,
  STATUS,
  STOPPED
} from './fake-app.ts'

const REQUEST: SubmitRequest = {
  inputPath: '/in/noise.f32',
  task: 'invert',
  outRoot: '/out',
  local: 'auto',
  minPeers: 0,
  waitMs: 1_000,
  detach: false,
  peers: []
}

const waiting = { signal: new AbortController().signal }
let folder: string
let socketPath: string
let app: FakeApp
let server: ApiServer

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-api-'))
  socketPath = join(folder, 'api.sock')
  app = new FakeApp()
  server = await serveApi(app, socketPath)
})

afterEach(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

async function client(): Promise<SwarmApp> {
  const connected = await connectApi(socketPath, waiting)
  if (connected === undefined) throw new Error('nobody answers')
  return connected
}

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const event of events) all.push(event)
  return all
}

/** Sends raw bytes of a body. @returns status and answer */
function send(method: string, path: string, body?: string): Promise<{ status: number; answer: unknown }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, async (response) => {
      const parts: Buffer[] = []
      for await (const part of response) parts.push(part as Buffer)
      resolve({ status: response.statusCode ?? 0, answer: JSON.parse(Buffer.concat(parts).toString()) })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

describe('answers', () => {
  test('cross the socket unchanged', async () => {
    const remote = await client()
    expect(await remote.status(waiting)).toEqual(STATUS)
    expect(await remote.invite(waiting)).toEqual(await app.invite())
    expect(await remote.peers(waiting)).toEqual(await app.peers())
    expect(await remote.jobs(waiting)).toEqual([JOB_DETAIL])
    expect(await remote.job(JOB, waiting)).toEqual(JOB_DETAIL)
    expect(await remote.ledger({ job: 'a b', peer: 'ü' }, waiting)).toEqual(LEDGER)
    expect(app.calls).toContainEqual(['ledger', { job: 'a b', peer: 'ü' }])
    expect(await remote.exportLedger({ path: '/x/l.bin' }, waiting)).toEqual({ path: '/x/l.bin', receipts: 3 })
    expect((await remote.cancel(JOB, waiting)).state).toBe('cancelled')
    expect((await remote.plan(REQUEST, waiting)).worthShipping).toBe(false)
    expect(app.calls).toContainEqual(['plan', REQUEST])
  })

  test('carry errors with code, message and exit code', async () => {
    const remote = await client()
    await expect(remote.job(OTHER_JOB, waiting)).rejects.toMatchObject({
      name: 'SwarmError',
      code: 'JOB_UNKNOWN',
      message: `no job ${OTHER_JOB}`,
      exitCode: 2
    })
  })

  test('stopping a client leaves the app alone', async () => {
    await (await client()).stop()
    expect(app.stops).toBe(0)
  })
})

describe('streams', () => {
  test('give the events of a job in order', async () => {
    const remote = await client()
    expect(await collect(remote.submit(REQUEST, waiting))).toEqual([ACCEPTED, PROGRESS, DONE])
    expect(await collect(remote.resume(JOB, waiting))).toEqual([ACCEPTED, PROGRESS, DONE])
    expect(await collect(remote.watch(JOB, waiting))).toEqual([ACCEPTED, PROGRESS, DONE])
    expect(await collect(remote.events(waiting))).toEqual([READY])
    expect(app.calls).toContainEqual(['submit', REQUEST])
  })

  test('throw a refusal that comes before the first event', async () => {
    app.refusal = new SwarmError('JOB_ENDED', 'job is done')
    await expect(collect((await client()).resume(JOB, waiting))).rejects.toMatchObject({ code: 'JOB_ENDED' })
  })

  test('throw an error that comes later', async () => {
    app.script = []
    app.submit = async function* () {
      yield ACCEPTED
      throw new SwarmError('INPUT_CHANGED', 'the file changed', { exitCode: 75 })
    }
    const seen: JobEvent[] = []
    const reading = (async () => {
      for await (const event of (await client()).submit(REQUEST, waiting)) seen.push(event)
    })()
    await expect(reading).rejects.toMatchObject({ code: 'INPUT_CHANGED', exitCode: 75 })
    expect(seen).toEqual([ACCEPTED])
  })

  test('stop the job on an abort and still give its last event', async () => {
    app.waits = true
    app.script = [ACCEPTED]
    const abort = new AbortController()
    const seen: JobEvent[] = []
    for await (const event of (await client()).submit(REQUEST, { signal: abort.signal })) {
      seen.push(event)
      abort.abort()
    }
    expect(seen).toEqual([ACCEPTED, STOPPED])
  })

  test('stop the job when its reader goes away', async () => {
    app.waits = true
    app.script = [ACCEPTED]
    for await (const event of (await client()).submit(REQUEST, waiting)) {
      expect(event).toEqual(ACCEPTED)
      break
    }
    await app.aborted.promise
    await app.left.promise
  })

  test('wait for a slow reader instead of piling up', async () => {
    let made = 0
    const filler = 'x'.repeat(64 * 1024)
    app.watch = async function* () {
      for (; made < 1_000; made++) yield { event: 'notice', jobId: JOB, message: filler } as const
    }
    const events = (await client()).watch(JOB, waiting)[Symbol.asyncIterator]()
    await events.next()
    // One more whole round trip, by which time an unbraked server would have made all of them.
    await (await client()).status(waiting)
    expect(made).toBeLessThan(500)
    await events.return?.()
  })

  test('end watching quietly on an abort', async () => {
    app.waits = true
    app.script = [PROGRESS]
    const abort = new AbortController()
    for await (const event of (await client()).watch(JOB, { signal: abort.signal })) {
      expect(event).toEqual(PROGRESS)
      abort.abort()
    }
  })

  test('give the last event of a job when the server closes', async () => {
    app.waits = true
    app.script = [ACCEPTED]
    const seen: JobEvent[] = []
    for await (const event of (await client()).submit(REQUEST, waiting)) {
      seen.push(event)
      if (event.event === 'accepted') void server.close()
    }
    expect(seen).toEqual([ACCEPTED, STOPPED])
  })
})

describe('requests', () => {
  test('are refused when they are malformed', async () => {
    const bodies = [
      'no json',
      '[]',
      JSON.stringify({ ...REQUEST, inputPath: 'relative' }),
      JSON.stringify({ ...REQUEST, local: 'maybe' }),
      JSON.stringify({ ...REQUEST, minPeers: -1 }),
      JSON.stringify({ ...REQUEST, minPeers: 1.5 }),
      JSON.stringify({ ...REQUEST, detach: 'yes' }),
      JSON.stringify({ ...REQUEST, peers: 'one' }),
      JSON.stringify({ ...REQUEST, task: '' }),
      JSON.stringify({ ...REQUEST, outDir: '/a\0b' }),
      JSON.stringify({ ...REQUEST, more: 1 })
    ]
    for (const body of bodies) {
      const { status, answer } = await send('POST', '/v1/jobs', body)
      expect([body, status, answer]).toMatchObject([body, 400, { error: { code: 'REQUEST_MALFORMED', exitCode: 2 } }])
    }
    expect(app.calls).toEqual([])
  })

  test('are refused when nothing is there', async () => {
    for (const path of [
      '/',
      '/v2/status',
      '/v1/nothing',
      '/v1/jobs/short',
      `/v1/jobs/${JOB}/sing`,
      `/v1/jobs/${JOB}/events/x`
    ]) {
      expect((await send('GET', path)).status).toBe(400)
    }
    expect((await send('DELETE', '/v1/status')).status).toBe(400)
  })

  test('are refused when they are too long', async () => {
    const { status, answer } = await send('POST', '/v1/jobs', 'x'.repeat(API_BODY_BYTES_MAX + 1))
    expect(status).toBe(400)
    expect(answer).toMatchObject({ error: { message: expect.stringContaining(String(API_BODY_BYTES_MAX)) } })
  })
})

describe('the socket', () => {
  test('is for its owner alone', async () => {
    expect((await stat(socketPath)).mode & 0o777).toBe(0o600)
  })

  test('refuses a second process while the first answers', async () => {
    await expect(serveApi(app, socketPath)).rejects.toMatchObject({ code: 'HOME_BUSY', exitCode: 75 })
    expect(await connectApi(socketPath, waiting)).toBeDefined()
  })

  test('is taken over when nobody answers on it', async () => {
    const path = join(folder, 'stale.sock')
    await writeFile(path, '')
    const second = await serveApi(app, path)
    expect(await connectApi(path, waiting)).toBeDefined()
    await second.close()
  })

  test('is gone after closing, and closing again does nothing', async () => {
    await server.close()
    await server.close()
    await expect(stat(socketPath)).rejects.toMatchObject({ code: 'ENOENT' })
    expect(await connectApi(socketPath, waiting)).toBeUndefined()
  })

  test('that hangs is named instead of opening the home twice', async () => {
    const path = join(folder, 'mute.sock')
    const mute = createServer(() => undefined)
    await new Promise<void>((resolve) => mute.listen(path, resolve))
    await expect(connectApi(path, { ...waiting, helloTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'NOT_ANSWERING',
      exitCode: 75
    })
    mute.closeAllConnections()
    await new Promise((resolve) => mute.close(resolve))
  })

  test('says that the process is gone when it ends in the middle of a stream', async () => {
    const path = join(folder, 'dying.sock')
    const dying = createServer((incoming, response) => {
      if (incoming.url === '/v1/status') {
        response.end(JSON.stringify(STATUS))
        return
      }
      response.write(`${JSON.stringify(ACCEPTED)}\n`, () => response.destroy())
    })
    await new Promise<void>((resolve) => dying.listen(path, resolve))
    const remote = await connectApi(path, waiting)
    if (remote === undefined) throw new Error('nobody answers')
    await expect(collect(remote.watch(JOB, waiting))).rejects.toMatchObject({ code: 'PROCESS_GONE', exitCode: 75 })
    await new Promise((resolve) => dying.close(resolve))
  })

  test('lives on after a client that says nothing sensible', async () => {
    const rude = connect(socketPath)
    rude.write('\u0000\u0001 rubbish\r\n\r\n')
    await new Promise((resolve) => rude.on('close', resolve).resume())
    expect(await (await client()).status(waiting)).toEqual(STATUS)
  })
})
