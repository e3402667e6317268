import { HELD_RESULTS_MAX } from '../../protocols/lease/constants.ts'
import type { HeldResult } from '../../protocols/lease/types.ts'

/** How long a finished result waits for a submitter that went away. */
export const HELD_RESULT_MS = 10 * 60 * 1000
/** Results held for all submitters together, in bytes. */
export const HELD_BYTES_MAX = 64 * 1024 * 1024

interface Held extends HeldResult {
  readonly submitter: string
  readonly buffer: ArrayBuffer
  readonly outputHash: Uint8Array
  readonly computeMs: number
  readonly heldSinceMs: number
}

/** What a result needs to be offered again. */
export type ReofferableResult = Pick<Held, 'buffer' | 'resultBytes' | 'outputHash' | 'computeMs'>

/**
 * Finished results whose submitter went away before it gave a receipt. A submitter that starts again within
 * {@link HELD_RESULT_MS} gets them offered instead of having them computed anew. Oldest go first when
 * {@link HELD_BYTES_MAX} is reached. Their bytes may still be queued in a dying stream, so no buffer that was held goes
 * back to the pool: it is left to the garbage collector.
 */
export class HeldResults {
  readonly #held = new Map<string, Held>()
  #bytes = 0

  keep(result: Held): void {
    this.#drop(keyOf(result.submitter, result.jobId, result.chunkIndex))
    this.#held.set(keyOf(result.submitter, result.jobId, result.chunkIndex), result)
    this.#bytes += result.buffer.byteLength
    for (const key of this.#held.keys()) {
      if (this.#bytes <= HELD_BYTES_MAX) break
      this.#drop(key)
    }
  }

  /** What is still held for a submitter, as much as its hello may name; what is too old is let go first. */
  list(submitter: string, nowMs: number): readonly HeldResult[] {
    for (const [key, held] of this.#held) if (nowMs - held.heldSinceMs > HELD_RESULT_MS) this.#drop(key)
    return [...this.#held.values()]
      .filter((held) => held.submitter === submitter)
      .slice(0, HELD_RESULTS_MAX)
      .map(({ jobId, chunkIndex, epoch, resultBytes }) => ({ jobId, chunkIndex, epoch, resultBytes }))
  }

  /** Hands a result over for being offered again. @returns undefined when it is no longer held */
  take(submitter: string, jobId: string, chunkIndex: number): ReofferableResult | undefined {
    const key = keyOf(submitter, jobId, chunkIndex)
    const held = this.#held.get(key)
    if (held === undefined) return undefined
    this.#held.delete(key)
    this.#bytes -= held.buffer.byteLength
    return held
  }

  #drop(key: string): void {
    const held = this.#held.get(key)
    if (held === undefined) return
    this.#held.delete(key)
    this.#bytes -= held.buffer.byteLength
  }
}

function keyOf(submitter: string, jobId: string, chunkIndex: number): string {
  return `${submitter} ${jobId} ${chunkIndex}`
}
