import { existsSync, renameSync, rmSync } from 'node:fs'
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
import { CONTIGUOUS, type Placement } from './sink-placement.ts'
import { reopenSealedFile, sealPlacedFile } from './sink-sealing.ts'
import { TilePlacement } from './sink-tiles.ts'

/** Only the owner may read what is still to be sealed. */
const PLAIN_MODE = 0o600

/** An open partial file and how far it stands. */
export interface OpenedFile {
  readonly file: SinkFile
  readonly placement: Placement
  readonly standing: readonly number[]
  readonly plainBytes: number
  readonly fileBytes: number
  /** Jobs that are sealed in order only. */
  readonly hmac?: SealHmac
  readonly chain?: CipherChain
  /** Jobs that are sealed once all is placed: does so. @returns the tag */
  readonly sealPlaced?: (fileBytes: number) => Promise<Uint8Array>
}

type OnStall = (full: boolean) => void

/**
 * Opens the partial file. In a resume what it holds is hashed again; what does not match is dropped, so a sealed file
 * stands as a whole or not at all, a placed one chunk by chunk.
 * @throws SwarmError OUTPUT_EXISTS
 */
export async function openSinkFile(data: SinkThreadData, onStall: OnStall): Promise<OpenedFile> {
  const placement = await placementOf(data)
  const opened =
    (data.resume && (await resume(data, data.resume, placement, onStall))) ?? (await create(data, placement, onStall))
  const { sealAfter } = data
  const { sealedPartial } = data.paths
  if (opened.sealPlaced !== undefined || sealAfter === undefined || sealedPartial === undefined) return opened
  const options = { path: sealedPartial, sealing: sealAfter, onStall }
  return { ...opened, sealPlaced: (fileBytes) => sealPlacedFile(opened.file, fileBytes, options) }
}

async function placementOf({ segments, tiles }: SinkThreadData): Promise<Placement> {
  if (segments !== undefined) {
    // Where segments lie follows from the chain, and so from all effects, which other jobs need not load.
    const { SegmentPlacement } = await import('./sink-segments.ts')
    return new SegmentPlacement(segments)
  }
  return tiles === undefined ? CONTIGUOUS : new TilePlacement(tiles)
}

async function create(data: SinkThreadData, placement: Placement, onStall: OnStall): Promise<OpenedFile> {
  refuseExisting(data.paths)
  const mode = data.sealAfter === undefined ? undefined : PLAIN_MODE
  const file = new SinkFile(data.paths.partial, { fresh: true, onStall, ...(mode !== undefined && { mode }) })
  await file.write(placement.header, 0)
  const { trailer } = placement
  if (trailer !== undefined) await file.write(trailer.bytes, trailer.position)
  const opened = { file, placement, standing: [], plainBytes: 0, fileBytes: placement.header.byteLength }
  if (data.sealing === undefined) return opened
  const hmac = new SealHmac(data.sealing.key, data.sealing.iv)
  return { ...opened, hmac, chain: { iv: data.sealing.iv, held: new Uint8Array(0) } }
}

async function resume(
  data: SinkThreadData,
  from: SinkResume,
  placement: Placement,
  onStall: OnStall
): Promise<OpenedFile | undefined> {
  const { partial, result } = data.paths
  if (data.segments === undefined) {
    const whole = await resumeWhole(data, from, placement, onStall)
    if (whole !== undefined) return whole
  } else await withdrawSealed(data, onStall)
  // A crash between publishing and the journal's last line leaves the final name only.
  const names = data.sealAfter === undefined ? [partial, result] : [partial]
  const found = names.find((path) => existsSync(path))
  if (found === undefined) return undefined
  const file = new SinkFile(found, { fresh: false, onStall })
  const opened =
    data.sealing === undefined
      ? resumePlaced(file, placement, from)
      : resumeSealed(file, placement, from.checkpoint, data.sealing)
  if (opened.standing.length === 0) {
    file.close()
    return undefined
  }
  if (placement.trailer !== undefined) await file.write(placement.trailer.bytes, placement.trailer.position)
  if (found === result) {
    renameSync(result, partial)
    syncFolder(dirname(partial))
  }
  return opened
}

/** A placed output that was sealed already, of which every chunk stands. */
async function resumeWhole(
  { outputBytes, paths, sealAfter }: SinkThreadData,
  { chunks }: SinkResume,
  placement: Placement,
  onStall: OnStall
): Promise<OpenedFile | undefined> {
  const plainBytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)
  if (sealAfter === undefined || plainBytes !== outputBytes) return undefined
  const sealed = await reopenSealedFile(paths, sealAfter, onStall)
  if (sealed === undefined) return undefined
  const { file, tag } = sealed
  const standing = chunks.map(({ chunkIndex }) => chunkIndex)
  return { file, placement, standing, plainBytes, fileBytes: file.byteLength, sealPlaced: async () => tag }
}

/**
 * Takes away what this job has sealed, which its tag proves: the reports of segments are read before the result is sealed, and
 * are not in it, so that they have to be made again. The tag and the file that it proves go last.
 */
async function withdrawSealed({ paths, sealAfter }: SinkThreadData, onStall: OnStall): Promise<void> {
  const sealed = sealAfter && (await reopenSealedFile(paths, sealAfter, onStall))
  if (sealed === undefined) return
  sealed.file.close()
  for (const path of [paths.key, paths.iv, paths.hmac, paths.sealedPartial]) {
    if (path !== undefined) rmSync(path, { force: true })
  }
}

function resumeSealed(file: SinkFile, placement: Placement, checkpoint: SinkCheckpoint, sealing: Sealing): OpenedFile {
  const { chunkCount, digest, fileBytes, plainBytes, tail } = checkpoint
  const nothing: OpenedFile = { file, placement, standing: [], plainBytes: 0, fileBytes: 0 }
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
    placement,
    standing: Array.from({ length: chunkCount }, (_, chunkIndex) => chunkIndex),
    plainBytes,
    fileBytes,
    hmac,
    chain: { iv: chainIv, held: tail }
  }
}

function resumePlaced(file: SinkFile, placement: Placement, from: SinkResume): OpenedFile {
  const standing: number[] = []
  let plainBytes = 0
  let fileBytes = placement.header.byteLength
  const chunks = beginsWith(file, placement.header) ? from.chunks : []
  for (const { byteLength, chunkIndex, outputHash, outputOffset } of chunks) {
    if (outputHash === undefined) continue
    const hash = createContentHasher()
    if (!placement.readBlocks(file, outputOffset, byteLength, (block) => hash.update(block))) continue
    if (Buffer.compare(hash.digest(), outputHash) !== 0) continue
    standing.push(chunkIndex)
    plainBytes += byteLength
    fileBytes = Math.max(fileBytes, placement.fileEnd(outputOffset, byteLength))
  }
  return { file, placement, standing, plainBytes, fileBytes }
}

function beginsWith(file: SinkFile, header: Uint8Array): boolean {
  const found = new Uint8Array(header.byteLength)
  return file.read(found, 0) && Buffer.compare(found, header) === 0
}

function refuseExisting(paths: OutputPaths): void {
  const taken = [paths.result, paths.key, paths.iv, paths.hmac].find((path) => path !== undefined && existsSync(path))
  if (taken === undefined) return
  throw new SwarmError('OUTPUT_EXISTS', `${taken} exists already; move it away or choose another folder with --out`, {
    exitCode: EXIT_CODES.usage
  })
}
