import { closeSync, fstatSync } from 'node:fs'
import type { RangeReader } from '../tasks/wav/container/range-reader.ts'
import { openForReading, readWhole } from './file-range.ts'

/** Ranges of a file for whoever reads its headers. Owns its descriptor. */
export class FileReader implements RangeReader, Disposable {
  readonly path: string
  readonly byteLength: number
  readonly #descriptor: number

  /** @throws SwarmError INPUT_UNREADABLE */
  constructor(path: string) {
    this.path = path
    this.#descriptor = openForReading(path)
    this.byteLength = fstatSync(this.#descriptor).size
  }

  /** @throws SwarmError INPUT_UNREADABLE */
  read(offset: number, byteLength: number): Uint8Array {
    const bytes = new Uint8Array(byteLength)
    readWhole(this.#descriptor, bytes, offset, this.path)
    return bytes
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }
}
