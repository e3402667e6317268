import { closeSync } from 'node:fs'
import { type InputPart, lengthOfPart, partsByteLength } from '../domain/chunk-parts.ts'
import { openForReading, readUpTo, readWhole } from './file-range.ts'

/**
 * Reads a chunk's input as one run of bytes, whatever parts it is made of. Owns the files that it opened: for
 * one operation, which costs nothing measurable beside keeping descriptors, and leaves none behind when a thread is ended.
 */
export class InputReader implements Disposable {
  readonly byteLength: number
  readonly #parts: readonly InputPart[]
  readonly #descriptors = new Map<string, number>()

  constructor(parts: readonly InputPart[]) {
    this.#parts = parts
    this.byteLength = partsByteLength(parts)
  }

  /** What messages call the input. */
  get name(): string {
    return this.#parts.find((part) => part.path !== undefined)?.path ?? 'the input'
  }

  /** Fills `bytes` from `offset`. @throws SwarmError INPUT_UNREADABLE, also when a file ends before */
  readWhole(bytes: Uint8Array, offset: number): void {
    this.#each(bytes, offset, (part, into, from) => {
      readWhole(this.#open(part), into, from, part)
      return into.byteLength
    })
  }

  /** Fills `bytes` from `offset` until a file ends too early. @returns bytes read. @throws SwarmError INPUT_UNREADABLE */
  readUpTo(bytes: Uint8Array, offset: number): number {
    return this.#each(bytes, offset, (part, into, from) => readUpTo(this.#open(part), into, from, part))
  }

  [Symbol.dispose](): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor)
    this.#descriptors.clear()
  }

  #each(bytes: Uint8Array, offset: number, read: (path: string, into: Uint8Array, from: number) => number): number {
    if (offset + bytes.byteLength > this.byteLength) throw new RangeError(`the input has ${this.byteLength} bytes`)
    let start = 0
    let done = 0
    for (const part of this.#parts) {
      const skip = offset + done - start
      const length = lengthOfPart(part)
      start += length
      if (skip >= length || done === bytes.byteLength) continue
      const into = bytes.subarray(done, done + length - skip)
      if (part.path !== undefined) {
        const readBytes = read(part.path, into, part.offset + skip)
        if (readBytes < into.byteLength) return done + readBytes
      } else into.set(part.bytes.subarray(skip, skip + into.byteLength))
      done += into.byteLength
    }
    return done
  }

  #open(path: string): number {
    const open = this.#descriptors.get(path)
    if (open !== undefined) return open
    const descriptor = openForReading(path)
    this.#descriptors.set(path, descriptor)
    return descriptor
  }
}
