import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** File names of the cipher's parts, beside the sealed result. */
export const KEY_FILE = 'encryption_key.bin'
export const IV_FILE = 'encryption_iv.bin'

/** Absolute paths of a job's output while it is written and after. */
export interface OutputPaths {
  /** Where chunks go. */
  readonly partial: string
  /** Where a placed output is sealed to, once it is whole. */
  readonly sealedPartial?: string
  readonly result: string
  /** Sealed jobs only. */
  readonly key?: string
  readonly iv?: string
  readonly hmac?: string
}

/**
 * Names a job's files. The partial name holds a tag of the job, so that two jobs with one output folder do not write into
 * one file: `partialTag` when given, else a hash of the IV, which is random for each job.
 */
export function outputPaths(options: {
  outDir: string
  fileName: string
  sealing?: { readonly iv: Uint8Array }
  /** Of jobs that are sealed after all was placed. */
  sealAfter?: { readonly iv: Uint8Array }
  partialTag?: string
}): OutputPaths {
  const { outDir, fileName, sealAfter } = options
  const sealing = options.sealing ?? sealAfter
  const tag = options.partialTag ?? (sealing === undefined ? undefined : tagOf(sealing.iv))
  const suffix = tag === undefined ? 'partial' : `${tag}.partial`
  const plain = join(outDir, `.${fileName}.${suffix}`)
  const sealed = join(outDir, `.${fileName}.enc.${suffix}`)
  if (sealing === undefined) return { partial: plain, result: join(outDir, fileName) }
  const result = join(outDir, `${fileName}.enc`)
  return {
    ...(sealAfter === undefined ? { partial: sealed } : { partial: plain, sealedPartial: sealed }),
    result,
    key: join(outDir, KEY_FILE),
    iv: join(outDir, IV_FILE),
    hmac: hmacPath(result)
  }
}

/** What an unfinished job may leave on the disk, all of it to remove when the job is given up. */
export function partialPaths({ partial, sealedPartial }: OutputPaths): readonly string[] {
  return sealedPartial === undefined ? [partial] : [partial, sealedPartial]
}

/** Path of the authentication tag of a sealed file. */
export function hmacPath(sealedPath: string): string {
  return `${sealedPath}.hmac`
}

function tagOf(iv: Uint8Array): string {
  return createHash('sha256').update(iv).digest('hex').slice(0, 12)
}
