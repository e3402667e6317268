import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { RECEIPT_BYTES_MAX } from '../../../protocols/wire/constants.ts'
import {
  encodeHeaders,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  FrameType,
  parseHeader,
  RANGE_BYTES_MAX
} from '../../../protocols/wire/frame.ts'
import { FrameParser } from '../../../protocols/wire/frame-parser.ts'
import { MessageSplitter, withLength } from '../../../protocols/wire/message-splitter.ts'
import { WireError } from '../../../protocols/wire/wire-error.ts'
import frames from '../../vectors/frames.json' with { type: 'json' }
import { hex, unhex } from './examples.ts'

/** What a parser saw, as plain values. */
type Seen = [type: number, lease: number, offset: number, payload: string]

function collect(seen: Seen[]): FrameParser {
  return new FrameParser({
    onData: (header) => {
      const into = new Uint8Array(header.byteLength)
      return {
        into,
        onReceived: () => undefined,
        onWhole: () => seen.push([header.type, header.leaseNumber, header.offset, hex(into)])
      }
    },
    onFrame: (header, payload) => seen.push([header.type, header.leaseNumber, header.offset, hex(payload)])
  })
}

/** Cuts bytes at the given places into pieces, some gathered in one list as streams deliver them. */
function cut(bytes: Uint8Array, cuts: readonly number[]): (Uint8Array | Uint8ArrayList)[] {
  const places = [0, ...cuts.map((at) => at % (bytes.byteLength + 1)), bytes.byteLength].sort((a, b) => a - b)
  const pieces = places.slice(1).map((end, index) => bytes.slice(places[index], end))
  return pieces.map((piece, index) =>
    index % 2 === 0 ? piece : new Uint8ArrayList(piece.subarray(0, 3), piece.subarray(3))
  )
}

const all = new Uint8Array(Buffer.concat(frames.map((frame) => Buffer.from(frame.bytes, 'hex'))))

describe('frames', () => {
  for (const frame of frames) {
    test(`golden vector: ${frame.name}`, () => {
      const bytes = unhex(frame.bytes)
      expect(parseHeader(bytes.subarray(0, FRAME_HEADER_BYTES))).toEqual(frame.header)
      expect(hex(encodeHeaders([frame.header as FrameHeader]))).toBe(hex(bytes.subarray(0, FRAME_HEADER_BYTES)))
    })
  }

  test('are the same however the bytes are split', () => {
    const whole: Seen[] = []
    collect(whole).push(all)
    expect(whole).toHaveLength(frames.length)
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 40 }), (cuts) => {
        const seen: Seen[] = []
        const parser = collect(seen)
        for (const piece of cut(all, cuts)) parser.push(piece)
        expect(seen).toEqual(whole)
        expect(parser.isInsideFrame).toBe(false)
      })
    )
  })

  test('keep nothing of the pieces that they came in', () => {
    const seen: Seen[] = []
    const parser = collect(seen)
    for (const piece of cut(all, [5, 20, 50, 100])) {
      parser.push(piece)
      for (const part of piece instanceof Uint8Array ? [piece] : piece) part.fill(0xff)
    }
    const whole: Seen[] = []
    collect(whole).push(all)
    expect(seen).toEqual(whole)
  })

  test('random bytes throw nothing but WireError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 200 }), fc.boolean(), (bytes, isFrame) => {
        if (isFrame) bytes.set([((bytes[0] ?? 0) % 10) + 1, 0, 0, 0])
        try {
          collect([]).push(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      })
    )
  })

  const good: FrameHeader = { type: FrameType.pull, code: 0, leaseNumber: 1, offset: 0, byteLength: 4 }
  const refusals: readonly (readonly [string, string, Partial<Record<keyof FrameHeader, number>>])[] = [
    ['an unknown type', 'FRAME_MALFORMED', { type: 10 }],
    ['type 0', 'FRAME_MALFORMED', { type: 0 }],
    ['a code that does not belong there', 'FRAME_MALFORMED', { code: 1 }],
    ['an unknown refusal', 'FRAME_MALFORMED', { type: FrameType.refuse, code: 200 }],
    ['a refusal without a reason', 'FRAME_MALFORMED', { type: FrameType.refuse }],
    ['no lease', 'FRAME_MALFORMED', { leaseNumber: 0 }],
    ['an empty range', 'FRAME_MALFORMED', { byteLength: 0 }],
    ['a range above the limit', 'FRAME_TOO_LARGE', { byteLength: RANGE_BYTES_MAX + 1 }],
    ['a range that ends above 2^32', 'FRAME_MALFORMED', { offset: 0xffff_fffe }],
    ['a receipt above the limit', 'FRAME_TOO_LARGE', { type: FrameType.receipt, byteLength: RECEIPT_BYTES_MAX + 1 }],
    ['a receipt with an offset', 'FRAME_MALFORMED', { type: FrameType.receipt, offset: 1 }],
    ['a name without a handle', 'FRAME_MALFORMED', { type: FrameType.name, byteLength: 32, leaseNumber: 0 }],
    ['a name with an offset', 'FRAME_MALFORMED', { type: FrameType.name, byteLength: 32, offset: 1 }],
    ['a name that is too short', 'FRAME_MALFORMED', { type: FrameType.name, byteLength: 31 }],
    ['a name that is too long', 'FRAME_TOO_LARGE', { type: FrameType.name, byteLength: 33 }],
    ['ready with a lease', 'FRAME_MALFORMED', { type: FrameType.ready, byteLength: 0 }],
    ['a lane with a lease', 'FRAME_MALFORMED', { type: FrameType.lane, offset: 1, byteLength: 33 }],
    ['a lane whose offer is too short', 'FRAME_MALFORMED', { type: FrameType.lane, leaseNumber: 0, byteLength: 32 }],
    ['a lane whose offer is too long', 'FRAME_TOO_LARGE', { type: FrameType.lane, leaseNumber: 0, byteLength: 34 }]
  ]
  for (const [what, code, fields] of refusals) {
    test(`are refused with ${what}`, () => {
      const bytes = encodeHeaders([{ ...good, ...fields } as FrameHeader])
      expect(() => parseHeader(bytes)).toThrow(expect.objectContaining({ code }))
    })
  }

  test('are refused with reserved bits', () => {
    const bytes = encodeHeaders([good])
    bytes[3] = 1
    expect(() => parseHeader(bytes)).toThrow(expect.objectContaining({ code: 'FRAME_MALFORMED' }))
  })

  test('a full range fills Noise messages exactly', () => {
    const noiseMessageBytes = 65_535 - 16
    const yamuxHeaderBytes = 12
    expect((RANGE_BYTES_MAX + FRAME_HEADER_BYTES + yamuxHeaderBytes) % noiseMessageBytes).toBe(0)
    expect(RANGE_BYTES_MAX % 4).toBe(0)
  })
})

describe('length-prefixed messages', () => {
  test('are the same however the bytes are split', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 })
    fc.assert(
      fc.property(messages, fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
        const bytes = new Uint8ArrayList(...sent.map((message) => withLength(message, 300))).slice()
        const received: string[] = []
        const splitter = new MessageSplitter(300)
        for (const piece of cut(bytes, cuts)) splitter.push(piece, (message) => received.push(hex(message)))
        expect(received).toEqual(sent.map(hex))
        expect(splitter.isInsideMessage).toBe(false)
      })
    )
  })

  test('above the limit are refused before they are gathered, at both ends', () => {
    const tooLarge = expect.objectContaining({ code: 'FRAME_TOO_LARGE' })
    expect(() => withLength(new Uint8Array(301), 300)).toThrow(tooLarge)
    const push = (...bytes: number[]) => new MessageSplitter(300).push(Uint8Array.from(bytes), () => undefined)
    expect(() => push(0xad, 0x02)).toThrow(tooLarge)
    expect(() => push(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80)).toThrow(tooLarge)
  })
})
