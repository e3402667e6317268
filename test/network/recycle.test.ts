import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { markRecyclable, recycle } from '../../src/network/recycle.ts'

describe('recycle', () => {
  test('gives back marked buffers, whole or behind a frame header', () => {
    const whole = markRecyclable(new Uint8Array(5_000))
    const framed = markRecyclable(new Uint8Array(5_000)).subarray(12)
    recycle(new Uint8ArrayList(whole, framed))
    expect([whole.byteLength, framed.byteLength]).toEqual([0, 0])
  })

  test.each([
    ['a part at the front', (bytes: Uint8Array) => bytes.subarray(0, 4_000)],
    ['a part at the end', (bytes: Uint8Array) => bytes.subarray(1_000)],
    ['no byte', (bytes: Uint8Array) => bytes.subarray(12, 12)]
  ])('leaves a marked buffer alone of which it got %s', (_, part) => {
    const bytes = markRecyclable(new Uint8Array(5_000))
    recycle(part(bytes))
    expect(bytes.byteLength).toBe(5_000)
  })

  test("leaves other people's buffers alone", () => {
    const unmarked = new Uint8Array(5_000)
    const shared = markRecyclable(new Uint8Array(5_000).subarray(12))
    recycle(unmarked)
    recycle(shared)
    expect([unmarked.byteLength, shared.byteLength]).toEqual([5_000, 4_988])
  })
})
