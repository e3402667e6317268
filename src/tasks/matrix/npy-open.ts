import { EXIT_CODES, SwarmError } from '../../errors.ts'
import type { ReadAt } from './npy-block.ts'
import { NPY_PRELUDE_BYTES, type NpyHeader, npyDataOffset, npyFileBytes, parseNpyHeader } from './npy-header.ts'

/**
 * Reads a file's header and checks that the file has just the bytes that its shape needs. Reads 12 bytes, then at most
 * 64 KiB, whatever the file says of itself.
 * @param name of the file, for messages. @param byteLength of the file
 * @throws SwarmError as {@link parseNpyHeader}; NPY_LENGTH for a truncated or oversized file; what `readAt` throws
 */
export function readNpyHeader(name: string, byteLength: number, readAt: ReadAt): NpyHeader {
  const prelude = readStart(Math.min(NPY_PRELUDE_BYTES, byteLength), readAt)
  const dataOffset = npyDataOffset(prelude, name)
  const header = parseNpyHeader(readStart(Math.min(dataOffset, byteLength), readAt), name)
  const expectedBytes = npyFileBytes(header)
  if (byteLength === expectedBytes) return header
  const shape = `${header.rows} by ${header.cols} ${header.dtype}`
  const reason = byteLength < expectedBytes ? 'it was cut, or not copied whole' : 'there is something behind the matrix'
  throw new SwarmError(
    'NPY_LENGTH',
    `${name} should have ${expectedBytes} bytes (${shape} and a header of ${header.dataOffset}), but has ${byteLength}: ${reason}`,
    { exitCode: EXIT_CODES.usage }
  )
}

function readStart(byteLength: number, readAt: ReadAt): Uint8Array {
  const bytes = new Uint8Array(byteLength)
  readAt(bytes, 0)
  return bytes
}
