// Owns what reading one file's headers remembers: the bytes that were read last, and the notices. Driven by parseWav.
import type { RangeReader } from './range-reader.ts'
import { wavMalformed } from './wav-error.ts'

/** Bytes that one read takes, and most that {@link WavScan.bytes} gives at once. */
export const WINDOW_BYTES = 4096
/** Notices that are kept; a last one says that there are more. */
export const NOTICES_MAX = 20

const TWO_32 = 2 ** 32

/** Reads small fields of a file in a few reads, and gathers what is strange but bearable. */
export class WavScan {
  readonly file: RangeReader
  readonly salvage: boolean
  readonly #notices: string[] = []
  #windowOffset = 0
  #window: Uint8Array = new Uint8Array(0)

  constructor(file: RangeReader, salvage: boolean) {
    this.file = file
    this.salvage = salvage
  }

  get notices(): readonly string[] {
    return this.#notices
  }

  /** @returns whether the file has these bytes */
  has(offset: number, byteLength: number): boolean {
    return offset + byteLength <= this.file.byteLength
  }

  /** @param byteLength at most {@link WINDOW_BYTES}; within the file. @returns a view that lasts until the next call */
  bytes(offset: number, byteLength: number): Uint8Array {
    const start = offset - this.#windowOffset
    if (start >= 0 && start + byteLength <= this.#window.byteLength) {
      return this.#window.subarray(start, start + byteLength)
    }
    const windowBytes = Math.min(WINDOW_BYTES, this.file.byteLength - offset)
    this.#window = this.file.read(offset, windowBytes)
    this.#windowOffset = offset
    return this.#window.subarray(0, byteLength)
  }

  uint16(offset: number): number {
    const bytes = this.bytes(offset, 2)
    return (bytes[0] as number) + (bytes[1] as number) * 256
  }

  uint32(offset: number): number {
    const low = this.uint16(offset)
    return low + this.uint16(offset + 2) * 65_536
  }

  /** Rounded to the nearest double above 2⁵³. */
  uint64(offset: number): number {
    const low = this.uint32(offset)
    return low + this.uint32(offset + 4) * TWO_32
  }

  /** @returns the four characters of a chunk's name, Latin-1 */
  id(offset: number): string {
    return String.fromCharCode(...this.bytes(offset, 4))
  }

  notice(text: string): void {
    if (this.#notices.length < NOTICES_MAX) this.#notices.push(text)
    else if (this.#notices.length === NOTICES_MAX) this.#notices.push('and more of the kind')
  }

  /**
   * Meets a fault that the audio before it survives: refused, or borne with a notice when salvaging.
   * @param remedy what salvaging does about it, such as `read what is there`
   * @throws SwarmError WAV_MALFORMED unless salvaging
   */
  fault(offset: number, problem: string, remedy: string): void {
    if (!this.salvage) throw wavMalformed(this.file.path, offset, `${problem}; with --salvage, ${remedy}`)
    this.notice(`at byte ${offset}, ${problem}; ${remedy}`)
  }
}
