import { createServer, connect as dial, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { encodeHeaders, FrameType } from '../../protocols/wire/frame.ts'
import type { DataTarget } from '../../protocols/wire/frame-parser.ts'
import type { LaneOffer, LaneSender, LaneSink } from '../../protocols/wire/lane.ts'
import { ConnectionLanes, LANES_OPEN_MAX, lanesOf, offerLanes } from '../../src/network/connection-lanes.ts'
import { LANE_HEAD_BYTES, LaneSealer, parseLaneHead } from '../../src/network/lane-record.ts'
import { LaneSuite } from '../../src/network/lane-suite.ts'
import { RecordSplitter } from '../../src/network/record-splitter.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const BOTH = LaneSuite.aes256Gcm | LaneSuite.chaCha20Poly1305

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** Both ends of a TCP connection on the loopback. */
async function sockets(): Promise<readonly [Socket, Socket]> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const address = server.address()
  const near = dial(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1')
  const far = await accepted
  closing.push(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return [near, far]
}

interface LanePair {
  readonly sending: ConnectionLanes
  readonly receiving: ConnectionLanes
  readonly near: Socket
  readonly failed: Promise<unknown>
  readonly onWritten: ReturnType<typeof vi.fn>
}

async function lanePair(suites: { near?: number; far?: number } = {}): Promise<LanePair> {
  const [near, far] = await sockets()
  const onWritten = vi.fn()
  const sending = new ConnectionLanes({ socket: near, onWritten }, suites.near ?? BOTH)
  const receiving = new ConnectionLanes({ socket: far, onWritten }, suites.far ?? BOTH)
  const splitter = new RecordSplitter(receiving)
  const failed = new Promise<unknown>((resolve) => {
    far.on('data', (data) => {
      try {
        for (const record of splitter.decode(data)) resolve(new Error(`a Noise record of ${record.byteLength} bytes`))
      } catch (error) {
        resolve(error)
      }
    })
  })
  return { sending, receiving, near, failed, onWritten }
}

/** Gathers frames; resolves `whole` at the `count`th. */
function collector(count: number) {
  const frames: Buffer[] = []
  let arrivedBytes = 0
  const { promise: whole, resolve } = Promise.withResolvers<void>()
  const sink: LaneSink = {
    begin: (header) => {
      const into = new Uint8Array(new DataView(header.buffer, header.byteOffset).getUint32(12, true))
      return { into, onReceived: () => undefined, onWhole: () => undefined }
    },
    arrived: (byteLength) => {
      arrivedBytes += byteLength
    },
    finish: ({ into }, byteLength) => {
      expect(into?.byteLength).toBe(byteLength)
      frames.push(Buffer.from(into ?? []))
      if (frames.length === count) resolve()
    }
  }
  return { sink, frames, whole, arrivedBytes: () => arrivedBytes }
}

function send(sender: LaneSender, payload: Uint8Array): void {
  const header = { type: FrameType.data, code: 0, leaseNumber: 1, offset: 0, byteLength: payload.byteLength } as const
  sender.send(encodeHeaders([header]), payload)
}

const sample = (byteLength: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: byteLength }, (_, index) => (index * 31 + seed + (index >>> 9)) & 0xff)

describe('lanes of a connection', () => {
  test.each([
    ['AES at both ends', BOTH, BOTH],
    ['AES slow at the sender', LaneSuite.chaCha20Poly1305, BOTH],
    ['AES slow at the receiver', BOTH, LaneSuite.chaCha20Poly1305]
  ])('bring frames of several lanes whole and in order: %s', async (_, near, far) => {
    const { sending, receiving } = await lanePair({ near, far })
    const sizes = [1, 131_071, 131_072, 131_073, 1_048_276]
    const lanes = [1, 2].map((seed) => {
      const collected = collector(sizes.length)
      const sender = sending.send(receiving.receive(collected.sink).offer, () => undefined)
      const payloads = sizes.map((size) => sample(size, seed))
      return { collected, sender, payloads }
    })
    for (const index of sizes.keys()) {
      for (const { sender, payloads } of lanes) send(sender, payloads[index] ?? new Uint8Array())
    }
    for (const { collected, payloads } of lanes) {
      await collected.whole
      expect(collected.frames.map((frame, index) => frame.equals(payloads[index] ?? frame.subarray(1)))).toEqual(
        sizes.map(() => true)
      )
      expect(collected.arrivedBytes()).toBeGreaterThan(sizes.reduce((sum, size) => sum + size))
    }
  })

  test('count what the system has not taken, and tell when it has', async () => {
    const { sending, receiving, onWritten } = await lanePair()
    const { sink, whole } = collector(1)
    const onLaneWritten = vi.fn()
    const sender = sending.send(receiving.receive(sink).offer, onLaneWritten)
    send(sender, sample(1_000_000, 3))
    expect(sender.queuedBytes).toBeGreaterThan(1_000_000)
    expect(sending.queuedBytes).toBe(sender.queuedBytes)
    await whole
    await vi.waitUntil(() => sender.queuedBytes === 0, { interval: 1 })
    expect(sending.queuedBytes).toBe(0)
    expect(onLaneWritten).toHaveBeenCalled()
    expect(onWritten).toHaveBeenCalled()
  })

  test('drop what still comes for a lane that was closed', async () => {
    const { sending, receiving, failed } = await lanePair()
    const [closed, open] = [collector(1), collector(1)]
    const first = receiving.receive(closed.sink)
    const toClosed = sending.send(first.offer, () => undefined)
    const toOpen = sending.send(receiving.receive(open.sink).offer, () => undefined)
    first.close()
    send(toClosed, sample(300_000, 1))
    send(toOpen, sample(5, 2))
    await Promise.race([open.whole, failed.then((error) => Promise.reject(error))])
    expect(closed.frames).toEqual([])
    expect(closed.arrivedBytes()).toBe(0)
  })

  test('drop the payload of a frame that its stream does not take', async () => {
    const { sending, receiving } = await lanePair()
    const { sink, whole, frames } = collector(1)
    let isRefused = true
    const picky: LaneSink = {
      ...sink,
      begin: (header) => {
        const target: DataTarget | undefined = isRefused ? undefined : sink.begin(header)
        isRefused = false
        return target
      }
    }
    const sender = sending.send(receiving.receive(picky).offer, () => undefined)
    send(sender, sample(200_000, 1))
    send(sender, sample(7, 2))
    await whole
    expect(frames.map((frame) => frame.byteLength)).toEqual([7])
  })

  const fails = async (pair: LanePair, message: RegExp): Promise<void> => {
    expect(String(await pair.failed)).toMatch(message)
  }

  test('refuse records of lanes that were never offered', async () => {
    const pair = await lanePair()
    const offer: LaneOffer = { laneNumber: 1, quickSuites: BOTH, secret: new Uint8Array(32) }
    send(
      pair.sending.send(offer, () => undefined),
      sample(9, 1)
    )
    await fails(pair, /lane 1, which was never offered/)
  })

  test('refuse a record that is not authentic, and deliver nothing of it', async () => {
    const pair = await lanePair()
    const { sink, frames } = collector(1)
    const { offer } = pair.receiving.receive(sink)
    const sealer = new LaneSealer(LaneSuite.aes256Gcm, offer.laneNumber, offer.secret)
    const header = { type: FrameType.data, code: 0, leaseNumber: 1, offset: 0, byteLength: 90_000 } as const
    const record = Buffer.concat(sealer.seal(encodeHeaders([header]), sample(90_000, 1)))
    record[record.byteLength - 20_000] = (record[record.byteLength - 20_000] ?? 0) ^ 1
    pair.near.write(record)
    await fails(pair, /authenticate/)
    expect(frames).toEqual([])
  })

  test('refuse a record that is longer than its frame', async () => {
    const pair = await lanePair()
    const { offer } = pair.receiving.receive(collector(1).sink)
    const sealer = new LaneSealer(LaneSuite.aes256Gcm, offer.laneNumber, offer.secret)
    const header = { type: FrameType.data, code: 0, leaseNumber: 1, offset: 0, byteLength: 4 } as const
    pair.near.write(Buffer.concat(sealer.seal(encodeHeaders([header]), sample(5, 1))))
    await fails(pair, /a lane record carries 5 bytes for a frame of 4/)
  })

  test('are limited in number', async () => {
    const { receiving } = await lanePair()
    const opened = Array.from({ length: LANES_OPEN_MAX }, () => receiving.receive(collector(1).sink))
    expect(() => receiving.receive(collector(1).sink)).toThrow(`more than ${LANES_OPEN_MAX} lanes`)
    opened[0]?.close()
    expect(receiving.receive(collector(1).sink).offer.laneNumber).toBe(LANES_OPEN_MAX + 1)
  })

  test('keep nothing of a frame that has come', async () => {
    const { sending, receiving } = await lanePair()
    let target: WeakRef<DataTarget> | undefined
    const { promise: whole, resolve } = Promise.withResolvers<void>()
    const sink: LaneSink = {
      begin: () => {
        const made = { into: new Uint8Array(70_000), onReceived: () => undefined, onWhole: () => undefined }
        target = new WeakRef(made)
        return made
      },
      arrived: () => undefined,
      finish: () => resolve()
    }
    send(
      sending.send(receiving.receive(sink).offer, () => undefined),
      sample(70_000, 1)
    )
    await whole
    await vi.waitUntil(
      () => {
        collectGarbage()
        return target?.deref() === undefined
      },
      { timeout: 5_000 }
    )
  })

  test('are found by what both connections share', async () => {
    const { receiving } = await lanePair()
    const timeline = { open: 1 }
    expect(lanesOf({ timeline })).toBeUndefined()
    offerLanes({ timeline }, receiving)
    expect(lanesOf({ timeline })).toBe(receiving)
  })

  test('secrets and numbers are never the same twice', async () => {
    const { receiving } = await lanePair()
    const offers = Array.from({ length: 20 }, () => receiving.receive(collector(1).sink).offer)
    expect(new Set(offers.map(({ laneNumber }) => laneNumber)).size).toBe(20)
    expect(new Set(offers.map(({ secret }) => Buffer.from(secret).toString('hex'))).size).toBe(20)
  })

  test('a head at the end of a read waits for its rest', async () => {
    const { receiving } = await lanePair()
    const { sink, frames } = collector(1)
    const { offer } = receiving.receive(sink)
    const sealer = new LaneSealer(LaneSuite.aes256Gcm, offer.laneNumber, offer.secret)
    const header = { type: FrameType.data, code: 0, leaseNumber: 1, offset: 0, byteLength: 3 } as const
    const record = Buffer.concat(sealer.seal(encodeHeaders([header]), Uint8Array.of(1, 2, 3)))
    expect(parseLaneHead(record.subarray(0, LANE_HEAD_BYTES)).laneNumber).toBe(offer.laneNumber)
    const splitter = new RecordSplitter(receiving)
    for (const byte of record) expect([...splitter.decode(Uint8Array.of(byte))]).toEqual([])
    expect(frames.map((frame) => [...frame])).toEqual([[1, 2, 3]])
  })
})
