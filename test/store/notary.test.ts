import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createSigner, createVerifier, NOTARY_JOBS_MAX } from '../../src/store/notary.ts'
import { testIdentity } from './support-identity.ts'

describe('notary', () => {
  test('verifies what was signed, and nothing else', async () => {
    const identity = testIdentity('a')
    const verify = createVerifier()
    const bytes = Uint8Array.of(1, 2, 3)
    const signature = await createSigner(identity).sign(bytes)
    expect(await verify(identity.publicKey, bytes, signature)).toBe(true)
    expect(await verify(identity.publicKey, Uint8Array.of(1, 2, 4), signature)).toBe(false)
    expect(await verify(testIdentity('b').publicKey, bytes, signature)).toBe(false)
    for (let at = 0; at < signature.byteLength; at++) {
      const changed = Uint8Array.from(signature, (byte, index) => (index === at ? byte ^ 1 : byte))
      expect(await verify(identity.publicKey, bytes, changed)).toBe(false)
    }
  })

  test('takes malformed keys and signatures for wrong ones', async () => {
    const identity = testIdentity('a')
    const verify = createVerifier()
    const signature = await createSigner(identity).sign(new Uint8Array(0))
    expect(await verify(new Uint8Array(0), new Uint8Array(0), signature)).toBe(false)
    expect(await verify(identity.publicKey.subarray(0, 35), new Uint8Array(0), signature)).toBe(false)
    expect(await verify(identity.publicKey, new Uint8Array(0), signature.subarray(1))).toBe(false)
    const other = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'der', type: 'spki' })
    expect(await verify(other, new Uint8Array(0), signature)).toBe(false)
  })

  test('answers many at once in any order, keeping few keys', async () => {
    const verify = createVerifier({ jobsMax: NOTARY_JOBS_MAX, keysMax: 2 })
    const answers = Array.from({ length: 60 }, async (_, index) => {
      const identity = testIdentity(`peer ${index % 5}`)
      const bytes = Uint8Array.of(index)
      const signature = await createSigner(identity).sign(index % 2 === 0 ? bytes : Uint8Array.of(index, 0))
      return await verify(identity.publicKey, bytes, signature)
    })
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 60 }, (_, index) => index % 2 === 0))
  })
})
