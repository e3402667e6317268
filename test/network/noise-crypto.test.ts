import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'
import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, test } from 'vitest'
import { noiseCrypto, RECORD_PLAINTEXT_BYTES_MAX } from '../../src/network/noise-crypto.ts'

const nonce = Uint8Array.from({ length: 12 }, (_, index) => index)
const none = new Uint8Array(0)
type Bytes = Parameters<typeof noiseCrypto.chaCha20Poly1305Encrypt>[0]

const arbitraryRecord = fc.record({
  key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  ad: fc.uint8Array({ maxLength: 40 }),
  byteLength: fc.oneof(
    fc.integer({ min: 0, max: 3_000 }),
    fc.integer({ min: 60_000, max: RECORD_PLAINTEXT_BYTES_MAX })
  ),
  fill: fc.nat(255),
  cut: fc.double({ min: 0, max: 1, noNaN: true })
})

function sample(byteLength: number, fill: number): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  for (let index = 0; index < byteLength; index++) {
    bytes[index] = index * 7 + fill
  }
  return bytes
}

function inTwo(bytes: Uint8Array, cut: number): Bytes {
  const at = Math.floor(bytes.byteLength * cut)
  return new Uint8ArrayList(bytes.subarray(0, at), bytes.subarray(at)) as unknown as Bytes
}

describe('noise crypto', () => {
  test('writes the same records as the stock one, whole or in parts', () => {
    fc.assert(
      fc.property(arbitraryRecord, ({ key, ad, byteLength, fill, cut }) => {
        const text = sample(byteLength, fill)
        const expected = Buffer.from(defaultCrypto.chaCha20Poly1305Encrypt(text, nonce, ad, key).slice())
        for (const input of [text, inTwo(text, cut)]) {
          const record = noiseCrypto.chaCha20Poly1305Encrypt(input, nonce, ad, key)
          expect(expected.equals(record.slice())).toBe(true)
        }
      }),
      { numRuns: 50 }
    )
  })

  test('reads records of the stock one, whole or in parts', () => {
    fc.assert(
      fc.property(arbitraryRecord, ({ key, ad, byteLength, fill, cut }) => {
        const text = sample(byteLength, fill)
        const record = defaultCrypto.chaCha20Poly1305Encrypt(text, nonce, ad, key).slice()
        for (const input of [record, inTwo(record, cut)]) {
          const read = noiseCrypto.chaCha20Poly1305Decrypt(input, nonce, ad, key)
          expect(Buffer.from(text).equals(read.slice())).toBe(true)
        }
      }),
      { numRuns: 50 }
    )
  })

  test('throws when any byte of a record was changed', () => {
    fc.assert(
      fc.property(arbitraryRecord, fc.nat(), fc.integer({ min: 1, max: 255 }), (sampleOf, at, xor) => {
        const { key, ad, byteLength, fill } = sampleOf
        const record = defaultCrypto.chaCha20Poly1305Encrypt(sample(byteLength, fill), nonce, ad, key).slice()
        const index = at % record.byteLength
        record[index] = (record[index] ?? 0) ^ xor
        expect(() => noiseCrypto.chaCha20Poly1305Decrypt(record, nonce, ad, key)).toThrow()
      }),
      { numRuns: 50 }
    )
  })

  test.each([100, 5_000])('never writes the text of %i bytes into what it read from', (byteLength) => {
    const key = sample(32, 1)
    const record = defaultCrypto.chaCha20Poly1305Encrypt(sample(byteLength, 0), nonce, none, key).slice()
    const before = record.slice()
    const text = noiseCrypto.chaCha20Poly1305Decrypt(record, nonce, none, key, record.subarray(0, byteLength))
    expect(Buffer.from(sample(byteLength, 0)).equals(text.slice())).toBe(true)
    expect(Buffer.from(before).equals(record)).toBe(true)
  })

  test('keeps texts apart that were sealed one after the other', () => {
    const key = sample(32, 1)
    const first = noiseCrypto.chaCha20Poly1305Encrypt(inTwo(sample(5_000, 1), 0.5), nonce, none, key)
    const copy = first.slice()
    noiseCrypto.chaCha20Poly1305Encrypt(inTwo(sample(5_000, 2), 0.5), nonce, none, key)
    expect(Buffer.from(copy).equals(first.slice())).toBe(true)
  })
})
