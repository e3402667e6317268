import { closeSync, fdatasyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { encodeNpyHeader } from '../tasks/matrix/npy-header.ts'
import { checkNpyBlock, type NpyBlock, npyRuns } from '../tasks/matrix/npy-layout.ts'

/**
 * A C-order float32 matrix as it grows. Owns the descriptor of a new file, which has its full length from the start;
 * elements that were not written are 0. Works synchronously, for threads that have nothing better to do, and takes no
 * memory beside what the caller hands in. Giving the file its final name is the caller's.
 */
export class NpyWriter implements Disposable {
  readonly path: string
  readonly rows: number
  readonly cols: number
  readonly byteLength: number
  readonly #descriptor: number
  readonly #dataOffset: number

  /**
   * Creates the file.
   * @param rows at least 1. @param cols at least 1
   * @throws SwarmError OUTPUT_EXISTS, OUTPUT_WRITE_FAILED. @throws RangeError as {@link encodeNpyHeader}
   */
  constructor(path: string, rows: number, cols: number) {
    const header = encodeNpyHeader(rows, cols)
    this.path = path
    this.rows = rows
    this.cols = cols
    this.#dataOffset = header.byteLength
    this.byteLength = header.byteLength + rows * cols * Float32Array.BYTES_PER_ELEMENT
    this.#descriptor = this.#guard(() => openSync(path, 'wx'))
    try {
      this.#writeAt(header, 0)
      this.#guard(() => ftruncateSync(this.#descriptor, this.byteLength))
    } catch (error) {
      closeSync(this.#descriptor)
      rmSync(path, { force: true })
      throw error
    }
  }

  /**
   * Writes a rectangle to its place.
   * @param samples [rows × cols] of the block, row-major f32
   * @throws SwarmError OUTPUT_WRITE_FAILED. @throws RangeError when the block is not within the matrix or `samples` has
   *   another size
   */
  writeBlock(block: NpyBlock, samples: Float32Array): void {
    checkNpyBlock(this, block, samples.length)
    const places = { dtype: 'float32', rows: this.rows, cols: this.cols, dataOffset: this.#dataOffset } as const
    for (const { blockOffset, byteLength, fileOffset } of npyRuns(places, block)) {
      this.#writeAt(new Uint8Array(samples.buffer, samples.byteOffset + blockOffset, byteLength), fileOffset)
    }
  }

  /** Returns once all that was written is on the disk. @throws SwarmError OUTPUT_WRITE_FAILED */
  sync(): void {
    this.#guard(() => fdatasyncSync(this.#descriptor))
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #writeAt(bytes: Uint8Array, offset: number): void {
    for (let done = 0; done < bytes.byteLength; ) {
      const position = offset + done
      done += this.#guard(() => writeSync(this.#descriptor, bytes, done, bytes.byteLength - done, position))
    }
  }

  #guard<Value>(operation: () => Value): Value {
    try {
      return operation()
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
        throw new SwarmError('OUTPUT_EXISTS', `${this.path} exists already; choose another name or move it away`, {
          exitCode: EXIT_CODES.usage,
          cause: error
        })
      }
      const reason = error instanceof Error ? error.message : String(error)
      throw new SwarmError('OUTPUT_WRITE_FAILED', `${this.path} cannot be written: ${reason}`, { cause: error })
    }
  }
}
