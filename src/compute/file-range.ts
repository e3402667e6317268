import { closeSync, openSync, readSync } from 'node:fs'
import { SwarmError } from '../errors.ts'

/**
 * Opens a file for one operation. Opening each time costs nothing measurable beside keeping descriptors, and leaves none
 * behind when a thread is ended. @throws SwarmError INPUT_UNREADABLE
 */
export function withFile<Value>(path: string, use: (descriptor: number) => Value): Value {
  const descriptor = guard(path, () => openSync(path, 'r'))
  try {
    return use(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Fills `bytes` from `offset`. @throws SwarmError INPUT_UNREADABLE, also when the file ends before */
export function readWhole(descriptor: number, bytes: Uint8Array, offset: number, path: string): void {
  const readBytes = readUpTo(descriptor, bytes, offset, path)
  if (readBytes === bytes.byteLength) return
  throw new SwarmError(
    'INPUT_UNREADABLE',
    `${path} ended at ${offset + readBytes} bytes, but ${offset + bytes.byteLength} were expected: was it cut meanwhile?`
  )
}

/** Fills `bytes` from `offset` as far as the file goes. @returns bytes read. @throws SwarmError INPUT_UNREADABLE */
export function readUpTo(descriptor: number, bytes: Uint8Array, offset: number, path: string): number {
  return guard(path, () => {
    let done = 0
    while (done < bytes.byteLength) {
      const readBytes = readSync(descriptor, bytes, done, bytes.byteLength - done, offset + done)
      if (readBytes === 0) break
      done += readBytes
    }
    return done
  })
}

function guard<Value>(path: string, operation: () => Value): Value {
  try {
    return operation()
  } catch (error) {
    if (error instanceof SwarmError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwarmError('INPUT_UNREADABLE', `${path} cannot be read: ${reason}`, { cause: error })
  }
}
