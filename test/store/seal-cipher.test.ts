import fc from 'fast-check'
import { expect, test } from 'vitest'
import { InPlaceCipher } from '../../src/store/seal-cipher.ts'
import { SealHmac } from '../../src/store/seal-hmac.ts'
import { cut, makeSealing, sealedBytes, tagOf } from './sink-support.ts'

const lengths = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 })
const plainBytes = fc.uint8Array({ minLength: 1, maxLength: 600 })

/** Seals runs one after the other. @returns the cipher bytes so far and the bytes held */
function sealAll(cipher: InPlaceCipher, runs: readonly { bytes: Uint8Array }[]): { sealed: Buffer; tail: Uint8Array } {
  const parts: Uint8Array[] = []
  let tail: Uint8Array = new Uint8Array(0)
  for (const { bytes } of runs) {
    const own = bytes.slice()
    const run = cipher.seal(own)
    parts.push(run.head, own.subarray(run.bodyOffset, run.bodyOffset + run.bodyBytes))
    tail = run.tail
  }
  return { sealed: Buffer.concat(parts), tail }
}

test('gives the bytes of the one-shot cipher for any cuts', () => {
  fc.assert(
    fc.property(plainBytes, lengths, (plain, cuts) => {
      const sealing = makeSealing()
      const cipher = new InPlaceCipher(sealing.key, sealing.iv, new Uint8Array(0))
      const { sealed } = sealAll(cipher, cut(plain, cuts))
      expect(Buffer.concat([sealed, cipher.final()])).toEqual(sealedBytes(plain, sealing))
    })
  )
})

test('goes on after any run from its last cipher block and the bytes held', () => {
  fc.assert(
    fc.property(plainBytes, lengths, fc.nat(), (plain, cuts, at) => {
      const sealing = makeSealing()
      const runs = cut(plain, cuts)
      const stopAt = at % runs.length
      const before = sealAll(new InPlaceCipher(sealing.key, sealing.iv, new Uint8Array(0)), runs.slice(0, stopAt))
      const chain = before.sealed.byteLength === 0 ? sealing.iv : before.sealed.subarray(-16)
      const next = new InPlaceCipher(sealing.key, chain, before.tail)
      const after = sealAll(next, runs.slice(stopAt))
      expect(Buffer.concat([before.sealed, after.sealed, next.final()])).toEqual(sealedBytes(plain, sealing))
    })
  )
})

test('seals runs longer than a piece in place', () => {
  const sealing = makeSealing()
  const plain = new Uint8Array(200_000).fill(7)
  const cipher = new InPlaceCipher(sealing.key, sealing.iv, new Uint8Array(0))
  const own = plain.slice()
  expect(cipher.seal(own)).toMatchObject({ bodyOffset: 0, bodyBytes: 200_000 })
  expect(Buffer.compare(Buffer.concat([own, cipher.final()]), sealedBytes(plain, sealing))).toBe(0)
})

test('makes the tag that HMAC-SHA256 makes over IV and ciphertext', () => {
  fc.assert(
    fc.property(plainBytes, (sealed) => {
      const sealing = makeSealing()
      const hmac = new SealHmac(sealing.key, sealing.iv)
      hmac.update(sealed)
      expect(Buffer.compare(hmac.tag(), tagOf(sealed, sealing))).toBe(0)
    })
  )
})

test('takes checkpoints on the way that depend on the bytes alone, and go on', () => {
  fc.assert(
    fc.property(plainBytes, fc.nat(), (sealed, at) => {
      const sealing = makeSealing()
      const [one, two] = [new SealHmac(sealing.key, sealing.iv), new SealHmac(sealing.key, sealing.iv)]
      const middle = at % sealed.byteLength
      one.update(sealed.subarray(0, middle))
      one.checkpoint()
      one.update(sealed.subarray(middle))
      two.update(sealed)
      expect(Buffer.compare(one.checkpoint(), two.checkpoint())).toBe(0)
      expect(Buffer.compare(one.tag(), two.tag())).toBe(0)
    })
  )
})
