import { sizeClass } from '../domain/size-class.ts'

/** What {@link OperandMemory} needs. */
export interface OperandMemoryOptions {
  /** Bytes of all buffers together, in use, idle, or dropped and not yet proven to be gone. */
  readonly bytesMax: number
  /** Room appeared that nobody gave back: a dropped buffer was collected. */
  readonly onRoom: () => void
  /** Asks for a garbage collection, where the process can (`--expose-gc`); told when one is needed to go on. */
  readonly collect?: (() => unknown) | undefined
  /** Calls `onGone` once nothing refers to the buffer any more; the runtime's own finalization unless a test says else. */
  readonly watch?: ((buffer: SharedArrayBuffer, onGone: () => void) => void) | undefined
}

/**
 * Owns every buffer of operand blocks, so that their bytes stay below one limit. Shared memory cannot be freed by hand, only
 * by the garbage collector at a time of its own. So a buffer is used again for blocks of its size class, and one that is of
 * no use any more, because the sizes changed with the job, is dropped but counted until it has been collected. That is
 * seen for this thread's reference: what a kernel thread still refers to goes when it collects, and may exceed the limit
 * until then.
 */
export class OperandMemory {
  readonly #bytesMax: number
  readonly #onRoom: () => void
  readonly #collect: (() => unknown) | undefined
  readonly #watch: (buffer: SharedArrayBuffer, onGone: () => void) => void
  readonly #free = new Map<number, SharedArrayBuffer[]>()
  #freeBytes = 0
  #takenBytes = 0
  #droppedBytes = 0

  constructor({ bytesMax, onRoom, collect, watch = watchCollected() }: OperandMemoryOptions) {
    this.#bytesMax = bytesMax
    this.#onRoom = onRoom
    this.#collect = collect
    this.#watch = watch
  }

  /** Bytes of all buffers that may exist. Never above `bytesMax`. */
  get bytes(): number {
    return this.#takenBytes + this.#freeBytes + this.#droppedBytes
  }

  /** Bytes of buffers that were taken and not given back. */
  get takenBytes(): number {
    return this.#takenBytes
  }

  /**
   * Takes a buffer for each of the lengths, or none at all.
   * @param evict makes the caller give one of its buffers back; returns false when it can spare none
   * @returns undefined when there is no room now; `onRoom` or the next `give` may bring some
   */
  takeAll(byteLengths: readonly number[], evict: () => boolean): readonly SharedArrayBuffer[] | undefined {
    const wanted = new Map<number, number>()
    for (const byteLength of byteLengths) {
      const size = sizeClass(byteLength)
      wanted.set(size, (wanted.get(size) ?? 0) + 1)
    }
    for (;;) {
      const missingBytes = this.#missingBytes(wanted)
      const headroomBytes = this.#bytesMax - this.bytes
      if (missingBytes <= headroomBytes) return byteLengths.map((byteLength) => this.#take(sizeClass(byteLength)))
      if (missingBytes <= headroomBytes + this.#droppedBytes + this.#sparedBytes(wanted)) {
        this.#dropSpared(wanted, missingBytes - headroomBytes - this.#droppedBytes)
        this.#collect?.()
        return undefined
      }
      if (!evict()) return undefined
    }
  }

  /** Takes a buffer back for the next block of its size: nobody may write to it any more. */
  give(buffer: SharedArrayBuffer): void {
    const list = this.#free.get(buffer.byteLength) ?? []
    if (list.length === 0) this.#free.set(buffer.byteLength, list)
    list.push(buffer)
    this.#takenBytes -= buffer.byteLength
    this.#freeBytes += buffer.byteLength
  }

  /** Leaves all idle buffers to the garbage collector. */
  trim(): void {
    this.#dropSpared(new Map(), this.#freeBytes)
  }

  #take(size: number): SharedArrayBuffer {
    const buffer = this.#free.get(size)?.pop()
    this.#takenBytes += size
    if (buffer === undefined) return new SharedArrayBuffer(size)
    this.#freeBytes -= size
    return buffer
  }

  /** Bytes of wanted buffers that no idle one can serve as. */
  #missingBytes(wanted: ReadonlyMap<number, number>): number {
    let bytes = 0
    for (const [size, count] of wanted) bytes += size * Math.max(0, count - (this.#free.get(size)?.length ?? 0))
    return bytes
  }

  /** Bytes of idle buffers that no wanted one can use. */
  #sparedBytes(wanted: ReadonlyMap<number, number>): number {
    let bytes = 0
    for (const [size, list] of this.#free) bytes += size * Math.max(0, list.length - (wanted.get(size) ?? 0))
    return bytes
  }

  #dropSpared(wanted: ReadonlyMap<number, number>, atLeastBytes: number): void {
    const untilBytes = this.#droppedBytes + atLeastBytes
    for (const [size, list] of this.#free) {
      while (this.#droppedBytes < untilBytes && list.length > (wanted.get(size) ?? 0)) {
        const buffer = list.pop()
        if (buffer !== undefined) this.#drop(buffer)
      }
      if (list.length === 0) this.#free.delete(size)
    }
  }

  #drop(buffer: SharedArrayBuffer): void {
    const { byteLength } = buffer
    this.#freeBytes -= byteLength
    this.#droppedBytes += byteLength
    this.#watch(buffer, () => {
      this.#droppedBytes -= byteLength
      this.#onRoom()
    })
  }
}

function watchCollected(): (buffer: SharedArrayBuffer, onGone: () => void) => void {
  const registry = new FinalizationRegistry<() => void>((onGone) => onGone())
  return (buffer, onGone) => registry.register(buffer, onGone)
}
