import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CHANNELS_MAX } from '../../../../src/tasks/wav/audio-format.ts'
import { encodeHead, parseHead } from '../../../../src/tasks/wav/segments/chunk-head.ts'

const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value))
const run = fc.record({ pass: fc.nat(), first: fc.maxSafeNat(), count: fc.integer({ min: 1 }) })
const lists = fc.array(finite, { minLength: 1, maxLength: CHANNELS_MAX })
const summary = fc.record({
  peaks: lists,
  truePeaks: lists,
  dcOffsets: lists,
  loudness: fc.oneof(finite, fc.constant(Number.NEGATIVE_INFINITY))
})
const heads = fc.oneof(fc.record({ run }), fc.record({ run, summary }))

function headOf(json: string, told = new TextEncoder().encode(json).byteLength): Uint8Array {
  const text = new TextEncoder().encode(json)
  const bytes = new Uint8Array(4 + text.byteLength)
  new DataView(bytes.buffer).setUint32(0, told, true)
  bytes.set(text, 4)
  return bytes
}

const good = '"run":{"pass":0,"first":0,"count":1}'
const measured = { peaks: [1], truePeaks: [1], dcOffsets: [0], loudness: -16 }

function withSummary(changes: object): string {
  return `{${good},"summary":${JSON.stringify({ ...measured, ...changes })}}`
}

describe("the head of a chunk's input", () => {
  test('is read as it was written, whatever stands behind it and wherever it lies', () => {
    fc.assert(
      fc.property(heads, fc.uint8Array({ maxLength: 9 }), fc.nat(7), (head, behind, shift) => {
        const encoded = encodeHead(head)
        const memory = new Uint8Array(shift + encoded.byteLength + behind.byteLength)
        memory.set(encoded, shift)
        memory.set(behind, shift + encoded.byteLength)
        expect(parseHead(memory.subarray(shift))).toEqual({ head, byteLength: encoded.byteLength })
      })
    )
  })

  test('says the loudness of silence', () => {
    const head = { run: { pass: 1, first: 2, count: 3 }, summary: { ...measured, loudness: Number.NEGATIVE_INFINITY } }
    expect(parseHead(encodeHead(head)).head).toEqual(head)
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['part of a length', new Uint8Array(3)],
    ['no bytes of text', headOf('')],
    ['a length beyond the input', headOf(`{${good}}`, 60)],
    ['a length beyond all limits', headOf(`{${good}}`, 2 ** 32 - 1)],
    ['a text beyond all limits', headOf(`{${good},"more":"${'x'.repeat(17_000)}"}`)],
    ['a text cut short', headOf(`{${good}}`, 20)],
    ['no UTF-8', Uint8Array.of(1, 0, 0, 0, 0xff)],
    ['null', headOf('null')],
    ['a number', headOf('7')],
    ['a list', headOf('[]')],
    ['no run', headOf('{}')],
    ['a run of null', headOf('{"run":null}')],
    ['a run without a count', headOf('{"run":{"pass":0,"first":0}}')],
    ['a run of nothing', headOf('{"run":{"pass":0,"first":0,"count":0}}')],
    ['a negative segment', headOf('{"run":{"pass":0,"first":-1,"count":1}}')],
    ['half a segment', headOf('{"run":{"pass":0,"first":0.5,"count":1}}')],
    ['a pass in words', headOf('{"run":{"pass":"0","first":0,"count":1}}')],
    ['a segment that no double counts', headOf('{"run":{"pass":0,"first":1e300,"count":1}}')],
    ['a summary of null', headOf(`{${good},"summary":null}`)],
    ['a summary in words', headOf(`{${good},"summary":"loud"}`)],
    ['a summary without peaks', headOf(withSummary({ peaks: undefined }))],
    ['peaks that are no list', headOf(withSummary({ peaks: { length: 1, 0: 1 } }))],
    ['too many channels', headOf(withSummary({ dcOffsets: new Array(CHANNELS_MAX + 1).fill(0) }))],
    ['a peak that is no number', headOf(withSummary({ peaks: [Number.NaN] }))],
    ['a true peak in words', headOf(withSummary({ truePeaks: ['1'] }))],
    ['a loudness in words', headOf(withSummary({ loudness: '-16' }))],
    ['no loudness', headOf(withSummary({ loudness: undefined }))],
    [
      'a loudness beyond all numbers',
      headOf(`{${good},"summary":{"peaks":[],"truePeaks":[],"dcOffsets":[],"loudness":1e999}}`)
    ]
  ])('is refused: %s', (_, bytes) => {
    expect(() => parseHead(bytes)).toThrow(expect.objectContaining({ name: 'SwarmError', code: 'INPUT_MALFORMED' }))
  })

  test('is refused or read, never a crash, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 64 }),
          fc.json().map((json) => headOf(json))
        ),
        (bytes) => {
          try {
            expect(parseHead(bytes).byteLength).toBeLessThanOrEqual(bytes.byteLength)
          } catch (error) {
            expect(error).toMatchObject({ name: 'SwarmError', code: 'INPUT_MALFORMED' })
          }
        }
      )
    )
  })
})
