import { existsSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { createContentHasher } from '../content-hash.ts'
import type { SinkCheckpoint } from '../domain/journal.ts'
import type { Sealing, SinkResume } from '../domain/result-sink.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import type { OutputPaths } from './output-names.ts'
import { CIPHER_BLOCK_BYTES } from './seal-cipher.ts'
import { SealHmac } from './seal-hmac.ts'
import { SinkFile, syncFolder } from './sink-file.ts'
import type { CipherChain, SinkThreadData } from './sink-messages.ts'

/** An open partial file and how far it stands. */
export interface OpenedFile {
  readonly file: SinkFile
  readonly standing: readonly number[]
  readonly plainBytes: number
  readonly fileBytes: number
  /** Sealed jobs only. */
  readonly hmac?: SealHmac
  readonly chain?: CipherChain
}

/**
 * Opens the partial file. In a resume what it holds is hashed again; what does not match is dropped, so a sealed file
 * stands as a whole or not at all, a placed one chunk by chunk.
 * @throws SwarmError OUTPUT_EXISTS
 */
export function openSinkFile(data: SinkThreadData, onStall: (full: boolean) => void): OpenedFile {
  const resumed = data.resume === undefined ? undefined : resume(data, data.resume, onStall)
  if (resumed !== undefined) return resumed
  refuseExisting(data.paths)
  const file = new SinkFile(data.paths.partial, { fresh: true, onStall })
  if (data.sealing === undefined) return { file, standing: [], plainBytes: 0, fileBytes: 0 }
  const hmac = new SealHmac(data.sealing.key, data.sealing.iv)
  const chain = { iv: data.sealing.iv, held: new Uint8Array(0) }
  return { file, standing: [], plainBytes: 0, fileBytes: 0, hmac, chain }
}

function resume(data: SinkThreadData, from: SinkResume, onStall: (full: boolean) => void): OpenedFile | undefined {
  const { partial, result } = data.paths
  // A crash between publishing and the journal's last line leaves the final name only.
  const found = [partial, result].find((path) => existsSync(path))
  if (found === undefined) return undefined
  const file = new SinkFile(found, { fresh: false, onStall })
  const opened =
    data.sealing === undefined ? resumePlaced(file, from) : resumeSealed(file, from.checkpoint, data.sealing)
  if (opened.standing.length === 0) {
    file.close()
    return undefined
  }
  if (found === result) {
    renameSync(result, partial)
    syncFolder(dirname(partial))
  }
  return opened
}

function resumeSealed(file: SinkFile, checkpoint: SinkCheckpoint, sealing: Sealing): OpenedFile {
  const { chunkCount, digest, fileBytes, plainBytes, tail } = checkpoint
  const nothing: OpenedFile = { file, standing: [], plainBytes: 0, fileBytes: 0 }
  const heldBytes = plainBytes % CIPHER_BLOCK_BYTES
  if (fileBytes !== plainBytes - heldBytes || tail.byteLength !== heldBytes) return nothing
  const hmac = new SealHmac(sealing.key, sealing.iv)
  if (!file.readBlocks(0, fileBytes, (block) => hmac.update(block))) return nothing
  if (Buffer.compare(hmac.checkpoint(), digest) !== 0) return nothing
  const chainIv = fileBytes === 0 ? sealing.iv : new Uint8Array(CIPHER_BLOCK_BYTES)
  if (fileBytes > 0) file.readBlocks(fileBytes - CIPHER_BLOCK_BYTES, fileBytes, (block) => chainIv.set(block))
  file.truncate(fileBytes)
  return {
    file,
    standing: Array.from({ length: chunkCount }, (_, chunkIndex) => chunkIndex),
    plainBytes,
    fileBytes,
    hmac,
    chain: { iv: chainIv, held: tail }
  }
}

function resumePlaced(file: SinkFile, from: SinkResume): OpenedFile {
  const standing: number[] = []
  let plainBytes = 0
  let fileBytes = 0
  for (const { byteLength, chunkIndex, outputHash, outputOffset } of from.chunks) {
    if (outputHash === undefined) continue
    const hash = createContentHasher()
    const end = outputOffset + byteLength
    if (!file.readBlocks(outputOffset, end, (block) => hash.update(block))) continue
    if (Buffer.compare(hash.digest(), outputHash) !== 0) continue
    standing.push(chunkIndex)
    plainBytes += byteLength
    fileBytes = Math.max(fileBytes, end)
  }
  return { file, standing, plainBytes, fileBytes }
}

function refuseExisting(paths: OutputPaths): void {
  const taken = [paths.result, paths.key, paths.iv, paths.hmac].find((path) => path !== undefined && existsSync(path))
  if (taken === undefined) return
  throw new SwarmError('OUTPUT_EXISTS', `${taken} exists already; move it away or choose another folder with --out`, {
    exitCode: EXIT_CODES.usage
  })
}
