// Signs and verifies in libuv's thread pool, so that the main thread only waits.
import { type KeyObject, sign, verify } from 'node:crypto'
import type { Signer, VerifySignature } from '../../protocols/wire/receipt-types.ts'
import { type Identity, parsePublicKey, signingKey } from './identity.ts'

/** Signature jobs in libuv's pool at a time: one less than its four threads, so that files are never kept waiting. */
export const NOTARY_JOBS_MAX = 3
/** Public keys kept imported. */
export const NOTARY_KEYS_MAX = 1024

const SIGNATURE_BYTES = 64

/** @returns a signer for this peer's identity. */
export function createSigner(identity: Identity): Signer {
  const key = signingKey(identity)
  return {
    publicKey: identity.publicKey,
    sign: (bytes) =>
      new Promise((resolve, reject) => {
        sign(null, bytes, key, (error, signature) => {
          if (error === null) resolve(new Uint8Array(signature))
          else reject(error)
        })
      })
  }
}

/** @returns a verifier of Ed25519 signatures; keys in any other form verify nothing. */
export function createVerifier(options: { jobsMax?: number; keysMax?: number } = {}): VerifySignature {
  const keys = new KeyCache(options.keysMax ?? NOTARY_KEYS_MAX)
  const gate = new Gate(options.jobsMax ?? NOTARY_JOBS_MAX)
  return async (publicKey, bytes, signature) => {
    if (signature.byteLength !== SIGNATURE_BYTES) return false
    const key = keys.get(publicKey)
    if (key === undefined) return false
    await gate.enter()
    try {
      return await verifyInPool(key, bytes, signature)
    } finally {
      gate.leave()
    }
  }
}

function verifyInPool(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return new Promise((resolve, reject) => {
    verify(null, bytes, key, signature, (error, valid) => {
      if (error === null) resolve(valid)
      else reject(error)
    })
  })
}

/** Imported keys, the least recently used one going first. */
class KeyCache {
  readonly #keys = new Map<string, KeyObject>()
  readonly #keysMax: number

  constructor(keysMax: number) {
    this.#keysMax = keysMax
  }

  get(publicKey: Uint8Array): KeyObject | undefined {
    const name = Buffer.from(publicKey).toString('latin1')
    const known = this.#keys.get(name)
    const key = known ?? parsePublicKey(publicKey)
    if (key === undefined) return undefined
    if (known !== undefined) this.#keys.delete(name)
    this.#keys.set(name, key)
    const oldest = this.#keys.keys().next().value
    if (this.#keys.size > this.#keysMax && oldest !== undefined) this.#keys.delete(oldest)
    return key
  }
}

/** Lets a bounded number in, the others in order. Who waits is bounded by the callers, which all await their answer. */
class Gate {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(places: number) {
    this.#free = places
  }

  async enter(): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free++
    else next()
  }
}
