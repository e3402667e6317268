import { sizeClass } from './size-class.ts'

/**
 * A free list of chunk buffers by size class, so that steady work touches no fresh memory. It bounds what it keeps, not
 * what is out: the lease window and the worker's lease depth bound that. What it does not keep it frees at once: left to
 * the garbage collector, such buffers would pile up until V8 marks its whole heap to be rid of them.
 */
export class BufferPool {
  readonly #free = new Map<number, ArrayBuffer[]>()
  readonly #keptBytesMax: number
  #keptBytes = 0

  /** @param keptBytesMax bytes of idle buffers kept at most */
  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax
  }

  /** @returns a buffer of at least `byteLength` bytes, with whatever it held before. */
  take(byteLength: number): ArrayBuffer {
    const size = sizeClass(byteLength)
    const buffer = this.#free.get(size)?.pop()
    if (buffer === undefined) return new ArrayBuffer(size)
    this.#keptBytes -= size
    return buffer
  }

  /**
   * Takes a buffer back, to hand it out again or to free it. The caller must hold the only reference. When the pool is
   * full, buffers of other sizes make room: those in use now are the ones that will be asked for.
   */
  give(buffer: ArrayBuffer): void {
    const size = buffer.byteLength
    if (size === 0) return
    this.#dropOthers(size)
    if (size !== sizeClass(size) || this.#keptBytes + size > this.#keptBytesMax) {
      free(buffer)
      return
    }
    const list = this.#free.get(size) ?? []
    if (list.length === 0) this.#free.set(size, list)
    list.push(buffer)
    this.#keptBytes += size
  }

  /** Frees all that is kept. */
  clear(): void {
    for (const list of this.#free.values()) list.forEach(free)
    this.#free.clear()
    this.#keptBytes = 0
  }

  #dropOthers(size: number): void {
    for (const [otherSize, list] of this.#free) {
      if (otherSize === size) continue
      while (this.#keptBytes + size > this.#keptBytesMax) {
        const buffer = list.pop()
        if (buffer === undefined) break
        free(buffer)
        this.#keptBytes -= otherSize
      }
      if (list.length === 0) this.#free.delete(otherSize)
    }
  }
}

/** Gives the memory back to the system's allocator now. */
function free(buffer: ArrayBuffer): void {
  buffer.transfer(0)
}
