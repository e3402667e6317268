/** A buffer serves whoever asks for up to so many times less than it has. */
const SLACK = 1.25

/**
 * Owns shared memory that is not in use. Shared memory cannot be freed by hand, only by the garbage collector at a time of
 * its own, so what one job lets go of serves the next.
 */
export class SharedBuffers {
  readonly #keptBytesMax: number
  readonly #free = new Map<number, SharedArrayBuffer[]>()
  #freeBytes = 0

  /** @param keptBytesMax bytes that may lie here unused; beyond it they are left to the garbage collector */
  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax
  }

  /** Bytes that lie here unused. */
  get freeBytes(): number {
    return this.#freeBytes
  }

  /** @returns a buffer of this length, or a little longer, whose bytes are anything */
  take(byteLength: number): SharedArrayBuffer {
    const length = this.#bestFit(byteLength)
    const buffer = length === undefined ? undefined : this.#free.get(length)?.pop()
    if (buffer === undefined) return new SharedArrayBuffer(byteLength)
    this.#freeBytes -= buffer.byteLength
    return buffer
  }

  /** Takes back a buffer that nobody reads or writes any more. */
  give(buffer: SharedArrayBuffer): void {
    const { byteLength } = buffer
    for (const [length, others] of this.#free) {
      // Lengths that are asked for no more make room for the one that is.
      while (length !== byteLength && this.#freeBytes + byteLength > this.#keptBytesMax && others.pop() !== undefined) {
        this.#freeBytes -= length
      }
    }
    if (this.#freeBytes + byteLength > this.#keptBytesMax) return
    const ofSize = this.#free.get(byteLength) ?? []
    ofSize.push(buffer)
    this.#free.set(byteLength, ofSize)
    this.#freeBytes += byteLength
  }

  /** Blocks at the edge of a matrix are a little smaller than others. @returns the least length that will do */
  #bestFit(byteLength: number): number | undefined {
    let best: number | undefined
    for (const [length, buffers] of this.#free) {
      const fits = buffers.length > 0 && length >= byteLength && length <= byteLength * SLACK
      if (fits && length < (best ?? Number.POSITIVE_INFINITY)) best = length
    }
    return best
  }

  /** Leaves all to the garbage collector, such as lengths that no job asks for any more. */
  clear(): void {
    this.#free.clear()
    this.#freeBytes = 0
  }
}
