import { closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
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

/**
 * The partial file of a sink. Owns its descriptor. Writes block (the sink thread has nothing better to do); syncs do not,
 * so sealing goes on beside them. Ending the thread closes it.
 */
export class SinkFile {
  readonly #descriptor: number
  readonly #onStall: (full: boolean) => void

  /** Opens `path`: as it is, or new and empty. */
  constructor(path: string, options: { fresh: boolean; onStall: (full: boolean) => void }) {
    this.#descriptor = openSync(path, options.fresh ? 'w+' : 'r+')
    this.#onStall = options.onStall
    if (options.fresh) syncFolder(dirname(path))
  }

  /** Writes all of `bytes`; on a full disk, says so and tries again until there is room. */
  async write(bytes: Uint8Array, position: number): Promise<void> {
    let stalled = false
    let done = 0
    while (done < bytes.byteLength) {
      try {
        done += writeSync(this.#descriptor, bytes, done, bytes.byteLength - done, position + done)
        continue
      } catch (error) {
        if (!isFull(error)) throw error
      }
      if (!stalled) this.#onStall(true)
      stalled = true
      await setTimeout(STALL_RETRY_MS)
    }
    if (stalled) this.#onStall(false)
  }

  /** Resolves once all that was written before the call is on the disk. */
  async sync(): Promise<void> {
    await syncData(this.#descriptor)
  }

  /** Reads [offset, end) in blocks that are good until the next one. @returns false when the file ends before */
  readBlocks(offset: number, end: number, use: (block: Uint8Array) => void): boolean {
    const block = new Uint8Array(Math.min(READ_BYTES, Math.max(end - offset, 0)))
    let position = offset
    while (position < end) {
      const readBytes = readSync(this.#descriptor, block, 0, Math.min(block.byteLength, end - position), position)
      if (readBytes === 0) return false
      use(block.subarray(0, readBytes))
      position += readBytes
    }
    return true
  }

  truncate(byteLength: number): void {
    ftruncateSync(this.#descriptor, byteLength)
  }

  close(): void {
    closeSync(this.#descriptor)
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
