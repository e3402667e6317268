import type { FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { writeByRename } from './output-atomic.ts'

/** One hour of mono Float32 at 44.1 kHz, in bytes. */
export const GENERATE_BYTES = 635_040_000

/** Bytes made and written at a time. */
const BLOCK_BYTES = 1024 * 1024
const SAMPLE_BYTES = 4
/** The counter walks in steps of 2³² over the golden ratio. */
const STEP = 0x9e3779b9
/** Multipliers of a 32-bit mixer with low bias. @see https://nullprogram.com/blog/2018/07/31/ */
const MIX_1 = 0x7feb352d
const MIX_2 = 0x846ca68b
/** 24 random bits make each sample; Float32 holds these values exactly. */
const SCALE = 2 ** -23

/** How {@link generateFile} works. */
export interface GenerateOptions {
  /** Bytes of noise. Multiple of 4; {@link GENERATE_BYTES} unless given. */
  readonly byteLength?: number
  /** Written before the noise: the header of a format. */
  readonly header?: Uint8Array
  /** Same seed, same bytes. uint32; 1 unless given. */
  readonly seed?: number
  /** Overwrite a file that exists. */
  readonly force?: boolean
  readonly signal: AbortSignal
  /** Told the bytes of the file, header and all. */
  readonly onProgress?: (bytesDone: number, byteLength: number) => void
}

/**
 * Writes noise in [−1, 1) as little-endian Float32, behind a header when one is given. The file appears by rename, whole or
 * not at all.
 * @returns its absolute path and size, header and all. @throws SwarmError SIZE_INVALID, SEED_INVALID, OUTPUT_EXISTS,
 *   OUTPUT_WRITE_FAILED; the signal's reason
 */
export async function generateFile(
  path: string,
  options: GenerateOptions
): Promise<{ path: string; byteLength: number }> {
  const {
    byteLength = GENERATE_BYTES,
    force = false,
    header = new Uint8Array(0),
    onProgress,
    seed = 1,
    signal
  } = options
  checkSize(byteLength)
  checkSeed(seed)
  const absolute = resolve(path)
  const fileBytes = header.byteLength + byteLength
  const fill = async (file: FileHandle): Promise<void> => {
    const blocks = [new Float32Array(BLOCK_BYTES / SAMPLE_BYTES), new Float32Array(BLOCK_BYTES / SAMPLE_BYTES)] as const
    let writing = writeAll(file, header)
    for (let offset = 0; offset < byteLength; offset += BLOCK_BYTES) {
      // Two blocks, so that one is made while the other is written.
      const block = blocks[(offset / BLOCK_BYTES) % 2 === 0 ? 0 : 1]
      const bytes = new Uint8Array(block.buffer, 0, Math.min(BLOCK_BYTES, byteLength - offset))
      fillNoise(block.subarray(0, bytes.byteLength / SAMPLE_BYTES), seed, offset / SAMPLE_BYTES)
      await writing
      signal.throwIfAborted()
      writing = writeAll(file, bytes)
      onProgress?.(header.byteLength + offset, fileBytes)
    }
    await writing
  }
  await writeByRename(absolute, fill, { force, signal })
  onProgress?.(fileBytes, fileBytes)
  return { path: absolute, byteLength: fileBytes }
}

/**
 * Fills `samples` with noise.
 * @param firstIndex index of the first sample in the file; a run never crosses a multiple of 2³²
 */
function fillNoise(samples: Float32Array, seed: number, firstIndex: number): void {
  const era = Math.floor(firstIndex / 2 ** 32)
  let counter = mix((seed ^ mix(era)) | 0) + Math.imul(firstIndex % 2 ** 32, STEP)
  for (let index = 0; index < samples.length; index++) {
    samples[index] = (mix(counter) >>> 8) * SCALE - 1
    counter = (counter + STEP) | 0
  }
}

function mix(value: number): number {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), MIX_1)
  bits = Math.imul(bits ^ (bits >>> 15), MIX_2)
  return bits ^ (bits >>> 16)
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await file.write(bytes, done, bytes.byteLength - done)).bytesWritten
  }
}

function checkSize(byteLength: number): void {
  if (Number.isSafeInteger(byteLength) && byteLength > 0 && byteLength % SAMPLE_BYTES === 0) return
  throw new SwarmError('SIZE_INVALID', `the size must be a multiple of 4 bytes above 0, but is ${byteLength}`, {
    exitCode: EXIT_CODES.usage
  })
}

function checkSeed(seed: number): void {
  if (Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32) return
  throw new SwarmError('SEED_INVALID', `the seed must be a whole number from 0 to ${2 ** 32 - 1}, but is ${seed}`, {
    exitCode: EXIT_CODES.usage
  })
}
