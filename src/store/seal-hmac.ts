import { createHash, hkdfSync } from 'node:crypto'

/** HKDF label of the authentication key; a change of format is a new label. */
const HMAC_KEY_LABEL = 'swarm/seal/hmac-sha256/1'
/** Bytes of the cipher key, the IV and the tag. */
export const KEY_BYTES = 32
export const IV_BYTES = 16
export const TAG_BYTES = 32
/** Block of SHA-256, to which HMAC pads its key. Bytes. */
const HASH_BLOCK_BYTES = 64
const INNER_PAD = 0x36
const OUTER_PAD = 0x5c

/**
 * HMAC-SHA256 over IV and ciphertext, built from its two hashes (RFC 2104) so that a checkpoint can be taken on the way at
 * no cost: the digest of the inner hash so far. One pass over the ciphertext serves both.
 */
export class SealHmac {
  readonly #inner = createHash('sha256')
  readonly #outer = createHash('sha256')

  /** @param key the cipher key, from which the authentication key is derived */
  constructor(key: Uint8Array, iv: Uint8Array) {
    const hmacKey = new Uint8Array(hkdfSync('sha256', key, new Uint8Array(0), HMAC_KEY_LABEL, TAG_BYTES))
    this.#inner.update(padded(hmacKey, INNER_PAD)).update(iv)
    this.#outer.update(padded(hmacKey, OUTER_PAD))
  }

  update(ciphertext: Uint8Array): void {
    this.#inner.update(ciphertext)
  }

  /** Digest of the inner hash over what came so far; more may follow. */
  checkpoint(): Uint8Array {
    return this.#inner.copy().digest()
  }

  /** The tag over what came so far; more may follow. */
  tag(): Uint8Array {
    return this.#outer.copy().update(this.checkpoint()).digest()
  }
}

function padded(key: Uint8Array, pad: number): Uint8Array {
  return Uint8Array.from({ length: HASH_BLOCK_BYTES }, (_, index) => (key[index] ?? 0) ^ pad)
}
