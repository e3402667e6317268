import { Uint8ArrayList } from 'uint8arraylist'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { OPERAND_NAMES_MAX } from '../../../protocols/operand/index.ts'
import { OPERAND_BYTES_MAX } from '../../../protocols/wire/constants.ts'
import { encodeHeaders, type FrameHeader, FrameType, parseHeader } from '../../../protocols/wire/frame.ts'
import { PULLS_QUEUED_MAX } from '../../../protocols/wire/range-server.ts'
import { RefusalCode } from '../../../protocols/wire/wire-error.ts'
import vectors from '../../vectors/operand.json' with { type: 'json' }
import { hex, unhex } from '../wire/examples.ts'
import { blockOf, ended, header, nameOf, OperandPair, signal } from './operand-fixtures.ts'

const WAIT_MS = 30
let pair: OperandPair
beforeEach(async () => {
  pair = await OperandPair.make({ waitMs: WAIT_MS })
})
afterEach(() => pair.stop())

const name = (leaseNumber: number): FrameHeader => header(FrameType.name, { leaseNumber, byteLength: 32 })
const pull = (fields: Partial<FrameHeader> = {}): FrameHeader => header(FrameType.pull, { byteLength: 8, ...fields })
type Frame = readonly [FrameHeader, Uint8Array?]

describe('the serving end cuts a peer off that', () => {
  const cases: readonly (readonly [string, readonly Frame[]])[] = [
    ['pulls what it did not name', [[pull()]]],
    ['lets go what it did not name', [[header(FrameType.pulled)]]],
    ['lets a block go twice', [[name(1), nameOf(1)], [header(FrameType.pulled)], [header(FrameType.pulled)]]],
    ['pulls a block that it let go', [[name(1), nameOf(1)], [header(FrameType.pulled)], [pull()]]],
    [
      'names a handle twice',
      [
        [name(1), nameOf(1)],
        [name(1), nameOf(2)]
      ]
    ],
    [
      'names a lower handle',
      [
        [name(2), nameOf(1)],
        [name(1), nameOf(2)]
      ]
    ],
    ['uses a handle again that it let go', [[name(1), nameOf(1)], [header(FrameType.pulled)], [name(1), nameOf(2)]]],
    ['names the stream', [[name(0), nameOf(1)]]],
    ['names by a short hash', [[{ ...name(1), byteLength: 31 }, new Uint8Array(31)]]],
    ['names by a long hash', [[{ ...name(1), byteLength: 33 }, new Uint8Array(33)]]],
    [
      'names too many blocks',
      Array.from({ length: OPERAND_NAMES_MAX + 1 }, (_, index): Frame => [name(index + 1), nameOf(index)])
    ],
    [
      'pulls too much at once',
      [[name(1), nameOf(9)], ...Array.from({ length: PULLS_QUEUED_MAX + 1 }, (): Frame => [pull()])]
    ],
    ['sends data', [[header(FrameType.data, { byteLength: 4 }), new Uint8Array(4)]]],
    ['offers a result', [[header(FrameType.offer, { byteLength: 4 }), new Uint8Array(4)]]],
    ['says that it is ready', [[header(FrameType.ready, { leaseNumber: 0 })]]]
  ]
  for (const [what, frames] of cases) {
    test(what, async () => {
      pair.gates.set(9, new Promise(() => undefined))
      pair.blocks.set(1, blockOf(1, 8))
      pair.serve()
      const { bulk } = await pair.openRaw()
      const bytes = frames.flatMap(([head, payload]) => [encodeHeaders([head]), payload ?? new Uint8Array(0)])
      bulk.life.send(new Uint8ArrayList(...bytes))
      expect(await ended(bulk.signal)).toMatchObject({ code: 'STREAM_ENDED', cause: { name: 'StreamResetError' } })
    })
  }
})

describe('the serving end', () => {
  /** Sends frames and gives the next answer without payload. */
  async function answerTo(...frames: readonly Frame[]): Promise<FrameHeader> {
    const { bulk } = await pair.openRaw()
    const answer = Promise.withResolvers<FrameHeader>()
    bulk.attach({
      isWaiting: () => false,
      onData: (data) => {
        answer.resolve(data)
        return { into: undefined, onReceived: () => undefined, onWhole: () => undefined }
      },
      onFrame: (frame) => answer.resolve(frame)
    })
    for (const [head, payload] of frames) bulk.send(head, payload)
    return await answer.promise
  }

  test('refuses a range that ends beyond what a block may have, unread', async () => {
    pair.serve()
    const offset = OPERAND_BYTES_MAX - 4
    expect(await answerTo([name(1), nameOf(1)], [pull({ offset })])).toMatchObject({
      type: FrameType.refuse,
      code: RefusalCode.rangeInvalid,
      offset
    })
    expect(pair.reads).toEqual([])
  })

  test('refuses what a block that was let go still waits for', async () => {
    const far = await OperandPair.make({ waitMs: 60_000 })
    try {
      far.gates.set(9, new Promise(() => undefined))
      far.serve()
      const client = await far.open()
      const given = new AbortController()
      const pulls = Array.from({ length: OPERAND_NAMES_MAX }, () =>
        client.pull(nameOf(9), new Uint8Array(8), { signal: given.signal })
      )
      const outcomes = Promise.allSettled(pulls)
      given.abort(new Error('no more'))
      await outcomes
      far.blocks.set(1, blockOf(1, 8))
      expect(await far.pull(client, 1)).toEqual(blockOf(1, 8))
      await Promise.all(far.signals.slice(0, OPERAND_NAMES_MAX).map(ended))
    } finally {
      await far.stop()
    }
  })

  test('refuses a block that does not come in time, and goes on', async () => {
    pair.gates.set(9, new Promise(() => undefined))
    pair.blocks.set(1, blockOf(1, 8))
    pair.serve()
    const client = await pair.open()
    await expect(pair.pull(client, 9)).rejects.toMatchObject({
      code: 'REFUSED',
      refusal: RefusalCode.inputUnavailable
    })
    expect(pair.signals[0]?.aborted).toBe(true)
    expect(await pair.pull(client, 1)).toEqual(blockOf(1, 8))
  })
})

describe('the fetching end cuts a peer off that', () => {
  const cases: readonly (readonly [string, FrameHeader, number])[] = [
    ['sends data that nobody asked for', header(FrameType.data, { leaseNumber: 9, byteLength: 4 }), 4],
    ['sends data of another length', header(FrameType.data, { byteLength: 4 }), 4],
    ['sends data at another offset', header(FrameType.data, { offset: 4, byteLength: 8 }), 8],
    ['refuses what was not asked for', header(FrameType.refuse, { code: 1, offset: 1, byteLength: 8 }), 0],
    ['names a block', name(1), 32],
    ['pulls', pull(), 0],
    ['answers the stream twice', header(FrameType.ready, { leaseNumber: 0 }), 0]
  ]
  for (const [what, frame, payloadBytes] of cases) {
    test(what, async () => {
      await pair.serveRaw((stream) =>
        stream.addEventListener('message', () =>
          stream.send(new Uint8ArrayList(encodeHeaders([frame]), new Uint8Array(payloadBytes)))
        )
      )
      const client = await pair.open()
      await expect(pair.pull(client, 1)).rejects.toMatchObject({ code: 'FRAME_MALFORMED' })
      expect(await ended(client.signal)).toMatchObject({ code: 'FRAME_MALFORMED' })
    })
  }
})

test('golden vector: the fetching end names a block, pulls it, and lets it go', async () => {
  const sent: Buffer[] = []
  const all = Promise.withResolvers<void>()
  const expected = vectors.fetching.map((frame) => frame.bytes).join('')
  await pair.serveRaw((stream) =>
    stream.addEventListener('message', (event) => {
      sent.push(Buffer.from(event.data.subarray()))
      const bytes = Buffer.concat(sent)
      if (bytes.byteLength === 64) stream.send(unhex(vectors.serving[0]?.bytes ?? ''))
      if (bytes.byteLength * 2 === expected.length) all.resolve()
    })
  )
  const client = await pair.open()
  const into = new Uint8Array(8)
  await client.pull(
    Uint8Array.from({ length: 32 }, (_, index) => index),
    into,
    { signal }
  )
  await all.promise
  expect(hex(Buffer.concat(sent))).toBe(expected)
  expect(hex(into)).toBe('0102030405060708')
})

test('golden vectors have the headers that they say', () => {
  for (const { bytes, header: expected } of [...vectors.fetching, ...vectors.serving]) {
    expect(parseHeader(unhex(bytes).subarray(0, 16))).toEqual(expected)
  }
})
