import { decryptResult } from '../store/decrypt.ts'
import type { DecryptRequest, DecryptView, Waiting } from './api-types.ts'

/** Opens a sealed result. @throws SwarmError as {@link decryptResult} */
export async function decrypt(request: DecryptRequest, { signal }: Waiting): Promise<DecryptView> {
  const { path, outPath, keyFile, force } = request
  const opened = await decryptResult({
    path,
    ...(outPath !== undefined && { out: outPath }),
    ...(keyFile !== undefined && { keyFile }),
    force,
    signal
  })
  return { path: opened.out, byteLength: opened.byteLength, authenticated: true }
}
