import {
  closeSync,
  fchmodSync,
  fdatasync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync
} from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'

/** How often a write is tried again on a full disk, in ms. */
const STALL_RETRY_MS = 1_000
/** Bytes read at a time when a file is hashed again. */
const READ_BYTES = 1024 * 1024
/** What a full disk or a used-up quota says. */
const FULL_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT']

const syncData = promisify(fdatasync)

/** Bytes and where they go in a file. */
export interface FilePart {
  readonly bytes: Uint8Array
  readonly position: number
}

/**
 * The partial file of a sink. Owns its descriptor. Writes block (the sink thread has nothing better to do); syncs do not,
 * so sealing goes on beside them. Ending the thread closes it.
 */
export class SinkFile {
  readonly #descriptor: number
  readonly #onStall: (full: boolean) => void

  /** Opens `path`: as it is, or new and empty, with `mode` when given. */
  constructor(path: string, options: { fresh: boolean; mode?: number; onStall: (full: boolean) => void }) {
    this.#descriptor = openSync(path, options.fresh ? 'w+' : 'r+', options.mode)
    this.#onStall = options.onStall
    if (!options.fresh) return
    // A file that was there keeps the mode that it had.
    if (options.mode !== undefined) fchmodSync(this.#descriptor, options.mode)
    syncFolder(dirname(path))
  }

  get byteLength(): number {
    return fstatSync(this.#descriptor).size
  }

  /** Writes all of `bytes`; on a full disk, says so and tries again until there is room. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    let done = this.#writeSome(bytes, position)
    if (done === bytes.byteLength) return
    this.#onStall(true)
    while (done < bytes.byteLength) {
      await setTimeout(STALL_RETRY_MS)
      done += this.#writeSome(bytes.subarray(done), position + done)
    }
    this.#onStall(false)
  }

  /** As {@link write}, for many small parts: waits only for room. Asks for the next part once the one before is written. */
  async writeParts(parts: Iterable<FilePart>): Promise<void> {
    for (const { bytes, position } of parts) {
      const done = this.#writeSome(bytes, position)
      if (done < bytes.byteLength) await this.write(bytes.subarray(done), position + done)
    }
  }

  /** Resolves once all that was written before the call is on the disk. */
  async sync(): Promise<void> {
    await syncData(this.#descriptor)
  }

  /** Fills `bytes` from `position`. @returns false when the file ends before */
  read(bytes: Uint8Array, position: number): boolean {
    for (let done = 0; done < bytes.byteLength; ) {
      const readBytes = readSync(this.#descriptor, bytes, done, bytes.byteLength - done, position + done)
      if (readBytes === 0) return false
      done += readBytes
    }
    return true
  }

  /** Reads [offset, end) in blocks that are good until the next one. @returns false when the file ends before */
  readBlocks(offset: number, end: number, use: (block: Uint8Array) => void): boolean {
    const block = new Uint8Array(Math.min(READ_BYTES, Math.max(end - offset, 0)))
    for (let position = offset; position < end; position += block.byteLength) {
      const part = block.subarray(0, end - position)
      if (!this.read(part, position)) return false
      use(part)
    }
    return true
  }

  truncate(byteLength: number): void {
    ftruncateSync(this.#descriptor, byteLength)
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  /** @returns bytes written: all, or fewer on a full disk */
  #writeSome(bytes: Uint8Array, position: number): number {
    let done = 0
    try {
      while (done < bytes.byteLength) {
        done += writeSync(this.#descriptor, bytes, done, bytes.byteLength - done, position + done)
      }
    } catch (error) {
      if (!isFull(error)) throw error
    }
    return done
  }
}

/** Makes names in a folder durable. Windows has no such call and needs none. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && FULL_CODES.includes(error.code)
}
