import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { generateFile } from '../store/generate.ts'
import type { GenerateRequest, GenerateView, Waiting } from './api-types.ts'

/** Makes a file of noise and hashes it as it lies on the disk. @throws SwarmError as {@link generateFile} */
export async function generate(request: GenerateRequest, { signal }: Waiting): Promise<GenerateView> {
  const { seed, byteLength, force } = request
  const made = await generateFile(request.path, { byteLength, seed, force, signal })
  const hash = createHash('sha256')
  await pipeline(createReadStream(made.path, { highWaterMark: 1024 * 1024 }), hash, { signal })
  return { ...made, seed, sha256: hash.digest('hex') }
}
