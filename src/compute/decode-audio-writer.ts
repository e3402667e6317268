import type { FileHandle } from 'node:fs/promises'
import { SwarmError } from '../errors.ts'

/** Samples that are written at once. */
const WRITE_SAMPLES = 64 * 1024
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1

/** Writes planar blocks as interleaved raw float32 frames, little-endian. Owned by one decoding; the file is the caller's. */
export class FrameWriter {
  readonly channels: number
  /** Written so far. */
  frames = 0
  readonly #path: string
  readonly #file: FileHandle
  readonly #samples = new Float32Array(WRITE_SAMPLES)
  readonly #bytes = Buffer.from(this.#samples.buffer)

  /** @param channels 1 to 32 */
  constructor(path: string, file: FileHandle, channels: number) {
    this.#path = path
    this.#file = file
    this.channels = channels
  }

  /**
   * @param block [1 … channels][frames] samples; where a block has fewer channels than the file, the last is repeated, since
   *   decoders give stereo of two equal channels as one
   * @throws SwarmError OUTPUT_WRITE_FAILED
   */
  async write(block: readonly Float32Array[]): Promise<void> {
    const frames = block[0]?.length ?? 0
    const framesAtOnce = Math.floor(WRITE_SAMPLES / this.channels)
    for (let start = 0; start < frames; start += framesAtOnce) {
      const count = Math.min(framesAtOnce, frames - start)
      for (let channel = 0; channel < this.channels; channel += 1) {
        const source = block[Math.min(channel, block.length - 1)] as Float32Array
        interleave(source, start, count, this.#samples, channel, this.channels)
      }
      await this.#flush(count * this.channels)
      this.frames += count
    }
  }

  async #flush(samples: number): Promise<void> {
    const bytes = this.#bytes.subarray(0, samples * Float32Array.BYTES_PER_ELEMENT)
    if (!LITTLE_ENDIAN) bytes.swap32()
    await writeAll(this.#path, this.#file, bytes)
  }
}

/** Appends bytes to a file. @throws SwarmError OUTPUT_WRITE_FAILED */
export async function writeAll(path: string, file: FileHandle, bytes: Uint8Array): Promise<void> {
  try {
    for (let done = 0; done < bytes.byteLength; ) {
      const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done)
      done += bytesWritten
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwarmError('OUTPUT_WRITE_FAILED', `decoded sound cannot be written to ${path}: ${reason}`, {
      cause: error
    })
  }
}

function interleave(
  source: Float32Array,
  start: number,
  count: number,
  target: Float32Array,
  channel: number,
  channels: number
): void {
  for (let index = 0, at = channel; index < count; index += 1, at += channels) {
    target[at] = source[start + index] as number
  }
}
