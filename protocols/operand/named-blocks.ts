import { settled } from '../wire/bulk-stream.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import { OPERAND_NAMES_MAX } from './constants.ts'

interface NamedBlock {
  readonly hash: Uint8Array
  /** Aborts when the puller lets the block go. */
  readonly letGo: AbortController
}

/**
 * The blocks that one stream has named, by handle, at the serving end. Owns the reads that wait for them; driven by the
 * frames of the stream.
 */
export class NamedBlocks {
  readonly #blocks = new Map<number, NamedBlock>()
  #lastHandle = 0

  /**
   * A NAME came: `unnamed → named`.
   * @throws WireError FRAME_MALFORMED when the handle does not rise; LIMIT_EXCEEDED when too many are named
   */
  name(handle: number, hash: Uint8Array): void {
    if (handle <= this.#lastHandle) {
      throw new WireError('FRAME_MALFORMED', `operand stream: handle ${handle} was named after ${this.#lastHandle}`)
    }
    if (this.#blocks.size >= OPERAND_NAMES_MAX) {
      throw new WireError('LIMIT_EXCEEDED', `operand stream: more than ${OPERAND_NAMES_MAX} blocks were named at once`)
    }
    this.#lastHandle = handle
    this.#blocks.set(handle, { hash, letGo: new AbortController() })
  }

  /** A PULLED came: `named → gone`; what waits for the block is refused. @throws WireError FRAME_MALFORMED */
  letGo(handle: number): void {
    this.#find(handle).letGo.abort(unavailable(`block ${handle} was let go`))
    this.#blocks.delete(handle)
  }

  /** The stream ended: whatever waits is over. */
  clear(): void {
    for (const handle of [...this.#blocks.keys()]) this.letGo(handle)
  }

  /** The hash that a handle stands for. @throws WireError FRAME_MALFORMED when it stands for none */
  hashOf(handle: number): Uint8Array {
    return this.#find(handle).hash
  }

  /**
   * Runs a read that may wait until the block is let go, or for `waitMs`.
   * @throws WireError REFUSED with `inputUnavailable` when it did not end by then; what the read throws
   */
  async read(
    handle: number,
    waitMs: number,
    read: (options: { signal: AbortSignal; held: AbortSignal }) => Promise<Uint8Array>
  ): Promise<Uint8Array> {
    const { signal } = this.#find(handle).letGo
    const waiting = new AbortController()
    const end = (): void => waiting.abort(signal.reason)
    const timer = setTimeout(() => waiting.abort(unavailable(`block ${handle} did not come in ${waitMs} ms`)), waitMs)
    signal.addEventListener('abort', end, { once: true })
    try {
      return await settled(read({ signal: waiting.signal, held: signal }), waiting.signal)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
    }
  }

  #find(handle: number): NamedBlock {
    const block = this.#blocks.get(handle)
    if (block === undefined) throw new WireError('FRAME_MALFORMED', `operand stream: handle ${handle} names no block`)
    return block
  }
}

function unavailable(what: string): WireError {
  return new WireError('REFUSED', what, { refusal: RefusalCode.inputUnavailable })
}
