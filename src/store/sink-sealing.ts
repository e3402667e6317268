// Sealing of an output whose chunks cannot be sealed as they come, because their places in the file are in no order: all is
// placed in plain first, then sealed into a second file. So the plain result of such a job does touch the disk.
import { existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Sealing } from '../domain/result-sink.ts'
import { SwarmError } from '../errors.ts'
import type { OutputPaths } from './output-names.ts'
import { InPlaceCipher } from './seal-cipher.ts'
import { SealHmac, TAG_BYTES } from './seal-hmac.ts'
import { SinkFile, syncFolder } from './sink-file.ts'

/** Bytes that are sealed at a time; whole cipher blocks. */
const BLOCK_BYTES = 1024 * 1024

/**
 * Seals a whole file into a new one at `path`, and syncs that. The plain one is left: until the tag is published, a resume
 * starts from it.
 * @returns the tag. @throws SwarmError OUTPUT_INCOMPLETE when the file has fewer bytes than `byteLength`
 */
export async function sealPlacedFile(
  plain: SinkFile,
  byteLength: number,
  { onStall, path, sealing }: { path: string; sealing: Sealing; onStall: (full: boolean) => void }
): Promise<Uint8Array> {
  const cipher = new InPlaceCipher(sealing.key, sealing.iv, new Uint8Array(0))
  const hmac = new SealHmac(sealing.key, sealing.iv)
  const sealed = new SinkFile(path, { fresh: true, onStall })
  let sealedBytes = 0
  const append = async (bytes: Uint8Array): Promise<void> => {
    await sealed.write(bytes, sealedBytes)
    hmac.update(bytes)
    sealedBytes += bytes.byteLength
  }
  try {
    const block = new Uint8Array(Math.min(BLOCK_BYTES, byteLength))
    for (let position = 0; position < byteLength; position += block.byteLength) {
      const bytes = block.subarray(0, byteLength - position)
      if (!plain.read(bytes, position)) throw cutShort(path, byteLength)
      const { bodyBytes, bodyOffset, head } = cipher.seal(bytes)
      await append(head)
      await append(bytes.subarray(bodyOffset, bodyOffset + bodyBytes))
    }
    await append(cipher.final())
    await sealed.sync()
  } finally {
    sealed.close()
  }
  return hmac.tag()
}

/**
 * Takes back a sealed file of this job whose publication was cut short, or was the last thing before a crash: one that the
 * published tag proves whole. It becomes partial again, and the plain file, if any is left, goes.
 * @returns the file and its tag, or undefined when there is none
 */
export async function reopenSealedFile(
  paths: OutputPaths,
  sealing: Sealing,
  onStall: (full: boolean) => void
): Promise<{ file: SinkFile; tag: Uint8Array } | undefined> {
  const { hmac, partial, result, sealedPartial } = paths
  if (hmac === undefined || sealedPartial === undefined || !existsSync(hmac)) return undefined
  if (statSync(hmac).size !== TAG_BYTES) return undefined
  const tag = new Uint8Array(await readFile(hmac))
  for (const path of [result, sealedPartial]) {
    if (!existsSync(path)) continue
    const file = new SinkFile(path, { fresh: false, onStall })
    const found = new SealHmac(sealing.key, sealing.iv)
    file.readBlocks(0, file.byteLength, (block) => found.update(block))
    if (Buffer.compare(found.tag(), tag) === 0) {
      if (path === result) renameSync(result, sealedPartial)
      rmSync(partial, { force: true })
      syncFolder(dirname(partial))
      return { file, tag }
    }
    file.close()
  }
  return undefined
}

function cutShort(path: string, byteLength: number): SwarmError {
  return new SwarmError(
    'OUTPUT_INCOMPLETE',
    `the output that is sealed into ${path} has fewer than the ${byteLength} bytes that were placed: something cut it meanwhile; resume the job`
  )
}
