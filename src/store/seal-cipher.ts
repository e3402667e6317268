import { type Cipheriv, createCipheriv } from 'node:crypto'

/** AES block. Bytes. */
export const CIPHER_BLOCK_BYTES = 16
/**
 * Bytes per call of the cipher. Each call allocates its output; at this size the allocator hands out the same warm pages
 * again (measured: 0.92 GB/s, against 0.52 at 1 MiB and 0.75 at 8 KiB).
 */
const PIECE_BYTES = 64 * 1024

/** What {@link InPlaceCipher.seal} made of a run of plain bytes. */
export interface SealedRun {
  /** A cipher block that began in the run before; empty or one block. Goes before the body. */
  readonly head: Uint8Array
  /** Where in the given bytes the body lies now. */
  readonly bodyOffset: number
  readonly bodyBytes: number
  /** Plain bytes that wait for a full block, at most 15. */
  readonly tail: Uint8Array
}

/** AES-256-CBC over a stream of runs, each encrypted in its own buffer. */
export class InPlaceCipher {
  readonly #cipher: Cipheriv
  #held: Uint8Array

  /**
   * @param iv the IV, or the last cipher block of what was sealed before
   * @param held plain bytes that waited for a full block there
   */
  constructor(key: Uint8Array, iv: Uint8Array, held: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-cbc', key, iv)
    this.#held = held.slice()
    this.#cipher.update(held)
  }

  /** Encrypts `bytes` over themselves. */
  seal(bytes: Uint8Array): SealedRun {
    const wantedBytes = (CIPHER_BLOCK_BYTES - this.#held.byteLength) % CIPHER_BLOCK_BYTES
    const bodyOffset = Math.min(wantedBytes, bytes.byteLength)
    const head = this.#cipher.update(bytes.subarray(0, bodyOffset))
    const restBytes = bytes.byteLength - bodyOffset
    const bodyBytes = restBytes - (restBytes % CIPHER_BLOCK_BYTES)
    const rest = bytes.subarray(bodyOffset + bodyBytes)
    if (bodyOffset < wantedBytes) this.#held = Uint8Array.of(...this.#held, ...bytes)
    else this.#held = rest.slice()
    this.#sealBody(bytes.subarray(bodyOffset, bodyOffset + bodyBytes))
    this.#cipher.update(rest)
    return { head, bodyOffset, bodyBytes, tail: this.#held }
  }

  /** @returns the padded last block */
  final(): Uint8Array {
    return this.#cipher.final()
  }

  #sealBody(body: Uint8Array): void {
    for (let offset = 0; offset < body.byteLength; offset += PIECE_BYTES) {
      const sealed = this.#cipher.update(body.subarray(offset, offset + PIECE_BYTES))
      body.set(sealed, offset)
      release(sealed)
    }
  }
}

/**
 * Frees what the cipher returned now, not at some collection: keeps 70 MB off the peak, and the next call gets the memory
 * warm. The bytes are gone after.
 */
export function release(bytes: Buffer): void {
  if (bytes.byteLength === bytes.buffer.byteLength) (bytes.buffer as ArrayBuffer).transfer(0)
}
