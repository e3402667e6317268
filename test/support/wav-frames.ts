import { FileReader } from '../../src/compute/file-reader.ts'
import type { FrameRange } from '../../src/tasks/wav/audio-format.ts'
import { parseWav, type WavFile } from '../../src/tasks/wav/container/parse-wav.ts'
import { BLOCK_FRAMES, type FrameStream } from '../../src/tasks/wav/effects/effect.ts'
import { SampleDecoder } from '../../src/tasks/wav/samples/decode-samples.ts'

/** Frames that are read from a file at once. */
const PIECE_FRAMES = 64 * BLOCK_FRAMES

/** A WAV file whose frames are read as they are needed. Owns its descriptor. */
export class WavFrames implements Disposable {
  readonly file: WavFile
  readonly #reader: FileReader

  /** @throws SwarmError WAV_MALFORMED, INPUT_UNREADABLE and others */
  constructor(path: string) {
    this.#reader = new FileReader(path)
    this.file = parseWav(this.#reader, { salvage: false })
  }

  /** Streams a range of its frames. */
  open(range: FrameRange): FrameStream {
    return new PieceStream(this.#reader, this.file, range)
  }

  /** @returns the bytes of a range of its frames */
  bytesOf({ start, end }: FrameRange): Uint8Array {
    const { dataOffset, frameBytes } = this.file
    return this.#reader.read(dataOffset + start * frameBytes, (end - start) * frameBytes)
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]()
  }
}

class PieceStream implements FrameStream {
  readonly channels: number
  readonly #reader: FileReader
  readonly #file: WavFile
  readonly #decoder: SampleDecoder
  readonly #end: number
  #piece: Uint8Array = new Uint8Array(0)
  /** Of the piece, in bytes. */
  #offset = 0
  /** The first that was not read from the file. */
  #next: number

  constructor(reader: FileReader, file: WavFile, { start, end }: FrameRange) {
    this.channels = file.shape.channels
    this.#reader = reader
    this.#file = file
    this.#decoder = new SampleDecoder(file.encoding, file.shape.channels)
    this.#next = start
    this.#end = end
  }

  read(out: readonly Float64Array[], count: number): void {
    const { frameBytes } = this.#file
    for (let done = 0; done < count; ) {
      if (this.#offset === this.#piece.byteLength) this.#load()
      const frames = Math.min(count - done, (this.#piece.byteLength - this.#offset) / frameBytes)
      const to = done === 0 ? out : out.map((samples) => samples.subarray(done))
      this.#decoder.decode(this.#piece, this.#offset, frames, to)
      this.#offset += frames * frameBytes
      done += frames
    }
  }

  #load(): void {
    const { dataOffset, frameBytes } = this.#file
    const frames = Math.min(PIECE_FRAMES, this.#end - this.#next)
    if (frames < 1) throw new RangeError(`a stream is read beyond its end, frame ${this.#end}`)
    this.#piece = this.#reader.read(dataOffset + this.#next * frameBytes, frames * frameBytes)
    this.#offset = 0
    this.#next += frames
  }
}
