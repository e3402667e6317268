import { openSync, readSync } from 'node:fs'
import { SwarmError } from '../errors.ts'

/** @returns a descriptor that the caller closes. @throws SwarmError INPUT_UNREADABLE */
export function openForReading(path: string): number {
  return guard(path, () => openSync(path, 'r'))
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
