import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { generateFile } from '../store/generate.ts'
import { encodeNpyHeader } from '../tasks/matrix/npy-header.ts'
import type { GenerateRequest, GenerateView, MatrixShape, Waiting } from './api-types.ts'

/**
 * Makes a file of noise and hashes it as it lies on the disk. A matrix has the samples that a raw file of its seed begins
 * with.
 * @throws SwarmError as {@link generateFile}. @throws RangeError when `byteLength` is not the matrix's
 */
export async function generate(request: GenerateRequest, { signal }: Waiting): Promise<GenerateView> {
  const { seed, byteLength, force, matrix } = request
  const header = matrix === undefined ? {} : { header: headerOf(matrix, byteLength) }
  const made = await generateFile(request.path, { byteLength, seed, force, signal, ...header })
  const hash = createHash('sha256')
  await pipeline(createReadStream(made.path, { highWaterMark: 1024 * 1024 }), hash, { signal })
  return { ...made, seed, sha256: hash.digest('hex'), ...(matrix !== undefined && { matrix }) }
}

function headerOf({ cols, rows }: MatrixShape, byteLength: number): Uint8Array {
  const header = encodeNpyHeader(rows, cols)
  if (byteLength === rows * cols * Float32Array.BYTES_PER_ELEMENT) return header
  throw new RangeError(`a matrix of ${rows} by ${cols} does not take ${byteLength} bytes`)
}
