import { describe, expect, test } from 'vitest'
import { encodeMatMulModel, MODEL_BYTES_MAX } from '../../src/compute/fast-matrix-model.ts'

/** Bytes of one message, field by field: the lengths of nested ones are read, not trusted to fit. */
function fieldsOf(bytes: Uint8Array): [field: number, value: number | Uint8Array][] {
  const fields: [number, number | Uint8Array][] = []
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? Number.NaN
      value += (byte % 128) * scale
      if (byte < 128) return value
      if (Number.isNaN(byte)) throw new Error('a varint ends with its message')
    }
  }
  while (at < bytes.byteLength) {
    const tag = varint()
    if (tag % 8 === 0) fields.push([tag >> 3, varint()])
    else {
      const length = varint()
      if (at + length > bytes.byteLength) throw new Error(`field ${tag >> 3} is longer than its message`)
      fields.push([tag >> 3, bytes.subarray(at, at + length)])
      at += length
    }
  }
  return fields
}

function messageIn(bytes: Uint8Array, field: number): Uint8Array {
  const value = fieldsOf(bytes).find(([number]) => number === field)?.[1]
  if (!(value instanceof Uint8Array)) throw new Error(`there is no message in field ${field}`)
  return value
}

const GRAPH = 7
const INITIALIZER = 5

describe('the model of a product', () => {
  test('is a message with version, operator set and graph', () => {
    const model = encodeMatMulModel(Float32Array.of(1, 2, 3, 4, 5, 6), 3, 2)
    expect(fieldsOf(model).map(([field]) => field)).toEqual([1, 8, GRAPH])
    expect(fieldsOf(messageIn(model, GRAPH)).map(([field]) => field)).toEqual([1, 2, 11, 12, INITIALIZER])
  })

  test.each([
    [3, 2],
    [1, 1],
    [127, 129],
    [300, 1]
  ])('carries B of %i × %i as raw data, to the last bit', (k, n) => {
    const words = Uint32Array.from({ length: k * n }, (_, index) => index * 0x9e3779b1)
    const tensor = messageIn(messageIn(encodeMatMulModel(new Float32Array(words.buffer), k, n), GRAPH), INITIALIZER)
    const [rows, columns, type] = fieldsOf(tensor)
    expect([rows, columns, type]).toEqual([
      [1, k],
      [1, n],
      [2, 1]
    ])
    expect(Buffer.from(messageIn(tensor, 8)).toString()).toBe('B')
    expect(new Uint32Array(messageIn(tensor, 9).slice().buffer)).toEqual(words)
  })

  test('is refused above what protobuf can hold, before any of it is allocated', () => {
    // Only the length is read before the refusal.
    const huge = { byteLength: MODEL_BYTES_MAX, buffer: new ArrayBuffer(0), byteOffset: 0 } as unknown as Float32Array
    expect(() => encodeMatMulModel(huge, 2 ** 14, 2 ** 15)).toThrow(
      expect.objectContaining({ code: 'MATRIX_TOO_LARGE', message: expect.stringContaining('16384 × 32768') })
    )
  })
})
