import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { NPY_SCRATCH_BYTES, type NpyBlockRead, readNpyBlock } from '../tasks/matrix/npy-block.ts'
import type { NpyHeader } from '../tasks/matrix/npy-header.ts'
import type { NpyBlock } from '../tasks/matrix/npy-layout.ts'
import { readNpyHeader } from '../tasks/matrix/npy-open.ts'

/**
 * A matrix in a .npy file, read by ranges and never whole. Owns the descriptor, and 1 MiB of scratch memory once a block
 * needs it. Works synchronously, for threads that have nothing better to do.
 */
export class NpyFile implements Disposable {
  /** Absolute. */
  readonly path: string
  readonly header: NpyHeader
  readonly byteLength: number
  /** Modification time in Unix ms, so that a changed file is noticed. */
  readonly modifiedMs: number
  readonly #descriptor: number
  #scratch: ArrayBuffer | undefined

  /** @see openNpy */
  constructor(path: string, descriptor: number) {
    const { mtimeMs, size } = guard(path, () => fstatSync(descriptor))
    this.path = path
    this.#descriptor = descriptor
    this.byteLength = size
    this.modifiedMs = mtimeMs
    this.header = readNpyHeader(path, size, (bytes, offset) => this.#readAt(bytes, offset))
  }

  /** Whether elements are rounded from float64 to float32 as they are read, which people should be told. */
  get converted(): boolean {
    return this.header.dtype === 'float64'
  }

  /**
   * Reads a rectangle of the matrix.
   * @param into [rows × cols] of the block, row-major f32
   * @throws SwarmError INPUT_UNREADABLE, also when the file was cut meanwhile. @throws RangeError as {@link readNpyBlock}
   */
  readBlock(block: NpyBlock, into: Float32Array): NpyBlockRead {
    this.#scratch ??= new ArrayBuffer(NPY_SCRATCH_BYTES)
    return readNpyBlock(this.header, block, into, (bytes, offset) => this.#readAt(bytes, offset), this.#scratch)
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  #readAt(bytes: Uint8Array, offset: number): void {
    for (let done = 0; done < bytes.byteLength; ) {
      const position = offset + done
      const readBytes = guard(this.path, () =>
        readSync(this.#descriptor, bytes, done, bytes.byteLength - done, position)
      )
      if (readBytes === 0) {
        throw unreadable(
          `${this.path} ended at ${position} bytes, but ${offset + bytes.byteLength} were expected: was it cut meanwhile?`
        )
      }
      done += readBytes
    }
  }
}

/**
 * Opens a matrix and checks its header and its length; the caller closes it.
 * @throws SwarmError INPUT_MISSING, INPUT_NOT_A_FILE, INPUT_UNREADABLE; NPY_MALFORMED, NPY_UNSUPPORTED, NPY_LENGTH
 */
export function openNpy(path: string): NpyFile {
  const absolute = resolve(path)
  // Before opening: opening a pipe would wait for its writer.
  if (!guard(absolute, () => statSync(absolute)).isFile()) {
    throw refusal('INPUT_NOT_A_FILE', `${absolute} is no regular file; give a file, not a folder, pipe or device`)
  }
  const descriptor = guard(absolute, () => openSync(absolute, 'r'))
  try {
    return new NpyFile(absolute, descriptor)
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

function guard<Value>(path: string, operation: () => Value): Value {
  try {
    return operation()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw refusal('INPUT_MISSING', `there is no file ${path}; check the path`, error)
    }
    throw unreadable(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`, error)
  }
}

function unreadable(message: string, cause?: unknown): SwarmError {
  return refusal('INPUT_UNREADABLE', message, cause)
}

function refusal(code: string, message: string, cause?: unknown): SwarmError {
  return new SwarmError(code, message, { exitCode: EXIT_CODES.usage, cause })
}
