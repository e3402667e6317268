import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeHeaders, FrameType } from '../../protocols/wire/frame.ts'
import {
  encodeLaneHead,
  LANE_BODY_BYTES_MAX,
  LANE_BODY_BYTES_MIN,
  LANE_HEAD_BYTES,
  LANE_MARK,
  LaneOpener,
  LaneSealer,
  parseLaneHead
} from '../../src/network/lane-record.ts'
import { LaneSuite, SUITE_TAG_BYTES } from '../../src/network/lane-suite.ts'
import vectors from '../vectors/lanes.json' with { type: 'json' }

const SECRET = Uint8Array.from({ length: 32 }, (_, index) => index)
const suites = Object.values(LaneSuite)

function headerOf(byteLength: number): Uint8Array {
  return encodeHeaders([{ type: FrameType.data, code: 0, leaseNumber: 258, offset: 4096, byteLength }])
}

function sealed(sealer: LaneSealer, payload: Uint8Array): Buffer {
  return Buffer.concat(sealer.seal(headerOf(payload.byteLength), payload))
}

/** @returns header and payload. @throws when the record is not authentic */
function opened(opener: LaneOpener, record: Uint8Array): Buffer {
  const decipher = opener.open(parseLaneHead(record.subarray(0, LANE_HEAD_BYTES)))
  const tagAt = record.byteLength - SUITE_TAG_BYTES
  const text = decipher.update(record.subarray(LANE_HEAD_BYTES, tagAt))
  decipher.setAuthTag(record.subarray(tagAt))
  decipher.final()
  return text
}

describe('lane records', () => {
  for (const { name, suite, laneNumber, secret, payloads, records } of vectors) {
    test(`golden vector: ${name}`, () => {
      const sealer = new LaneSealer(suite as LaneSuite, laneNumber, Buffer.from(secret, 'hex'))
      expect(payloads.map((payload) => sealed(sealer, Buffer.from(payload, 'hex')).toString('hex'))).toEqual(records)
    })
  }

  test('are opened in the order in which they were sealed, whatever their length', () => {
    const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400_000 }), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(fc.constantFrom(...suites), payloads, (suite, sent) => {
        const [sealer, opener] = [new LaneSealer(suite, 7, SECRET), new LaneOpener(SECRET)]
        for (const payload of sent) {
          const text = opened(opener, sealed(sealer, payload))
          expect(text.equals(Buffer.concat([headerOf(payload.byteLength), payload]))).toBe(true)
        }
      }),
      { numRuns: 30 }
    )
  })

  test('with any bit changed are refused', () => {
    fc.assert(
      fc.property(fc.constantFrom(...suites), fc.nat(), (suite, place) => {
        const record = sealed(new LaneSealer(suite, 7, SECRET), Uint8Array.of(1, 2, 3))
        const bit = place % (record.byteLength * 8)
        record[bit >> 3] = (record[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        // The lane's number is looked up before; here the opener of another lane is asked, as an attacker would have it.
        expect(() => opened(new LaneOpener(SECRET), record)).toThrow()
      }),
      { numRuns: 500 }
    )
  })

  test('out of order, twice, or of another lane are refused', () => {
    const sealer = new LaneSealer(LaneSuite.aes256Gcm, 1, SECRET)
    const [first, second] = [sealed(sealer, Uint8Array.of(1)), sealed(sealer, Uint8Array.of(2))]
    expect(() => opened(new LaneOpener(SECRET), second)).toThrow()
    const twice = new LaneOpener(SECRET)
    opened(twice, first)
    expect(() => opened(twice, first)).toThrow()
    const other = sealed(new LaneSealer(LaneSuite.aes256Gcm, 1, SECRET.toReversed()), Uint8Array.of(1))
    expect(() => opened(new LaneOpener(SECRET), other)).toThrow()
  })

  test('of a lane that changes its suite are refused: both count one nonce', () => {
    const opener = new LaneOpener(SECRET)
    opened(opener, sealed(new LaneSealer(LaneSuite.aes256Gcm, 1, SECRET), Uint8Array.of(1)))
    const changed = sealed(new LaneSealer(LaneSuite.chaCha20Poly1305, 1, SECRET), Uint8Array.of(1))
    expect(() => opened(opener, changed)).toThrow(/lane 1: a record of suite 2 came, expected 1/)
  })
})

describe('heads of lane records', () => {
  const good = { suite: LaneSuite.aes256Gcm, laneNumber: 0xffff_fffe, bodyBytes: LANE_BODY_BYTES_MAX }

  test('say what they were made of', () => {
    expect(parseLaneHead(encodeLaneHead(good))).toEqual(good)
    const least = { ...good, bodyBytes: LANE_BODY_BYTES_MIN }
    expect(parseLaneHead(encodeLaneHead(least))).toEqual(least)
  })

  test('stand where no Noise record can have its length', () => {
    const [high, low] = encodeLaneHead(good)
    expect([high, low]).toEqual([0, LANE_MARK])
    expect(LANE_MARK).toBeLessThan(SUITE_TAG_BYTES)
  })

  test.each([
    ['no mark', 1, 2],
    ['an unknown suite', 2, 3],
    ['no suite', 2, 0],
    ['a reserved byte', 3, 1]
  ])('with %s are refused', (_, place, value) => {
    const head = encodeLaneHead(good)
    head[place] = value
    expect(() => parseLaneHead(head)).toThrow(/neither of Noise nor of a lane/)
  })

  test.each([LANE_BODY_BYTES_MAX + 1, LANE_BODY_BYTES_MIN - 1, 0])('of a body of %i bytes are refused', (bodyBytes) => {
    expect(() => parseLaneHead(encodeLaneHead({ ...good, bodyBytes }))).toThrow(
      `a lane record of ${bodyBytes} bytes came, expected ${LANE_BODY_BYTES_MIN} to ${LANE_BODY_BYTES_MAX}`
    )
  })
})
