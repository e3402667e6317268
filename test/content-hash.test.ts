import { blake3 } from '@noble/hashes/blake3.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentHash, createContentHasher } from '../src/content-hash.ts'

describe('content hash', () => {
  test('is BLAKE3: the vector for the empty input', () => {
    // From the test vectors of the BLAKE3 specification.
    const expected = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'
    expect(Buffer.from(contentHash(new Uint8Array(0))).toString('hex')).toBe(expected)
  })

  test('the native library agrees with the portable one, however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(5000), (bytes, cut) => {
        const hasher = createContentHasher()
        hasher.update(bytes.subarray(0, cut))
        hasher.update(bytes.subarray(cut))
        expect(Buffer.compare(hasher.digest(), blake3(bytes))).toBe(0)
        expect(Buffer.compare(contentHash(bytes), blake3(bytes))).toBe(0)
      })
    )
  })

  test('a part of a larger buffer is hashed as it is', () => {
    const block = new Uint8Array(4096).map((_, index) => index)
    expect(Buffer.compare(contentHash(block.subarray(100, 3000)), blake3(block.slice(100, 3000)))).toBe(0)
  })
})
