import type { JobSpec } from '../domain/job.ts'
import { SwarmError } from '../errors.ts'
import { parseMatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import { findTaskKind } from '../tasks/registry.ts'
import { parseAudioSource } from '../tasks/wav/wav-plan.ts'

/** Name of the task kind whose parameters are a matrix plan. */
const MATRIX_KIND = 'matrix'
const SAMPLE_BYTES = 4

/** A matrix product C [rows × columns] = A [rows × inner] · B [inner × columns], and the tiles that C is cut into. */
export interface StoredMatrixDimensions {
  readonly rows: number
  readonly inner: number
  readonly columns: number
  readonly tileRows: number
  readonly tileColumns: number
}

/** Sound, as it went in. */
export interface StoredAudioDimensions {
  readonly audioSeconds: number
  readonly channels: number
  readonly sampleRate: number
  /** Bytes that its chunks count, by which parts of it are told. */
  readonly chunkBytes: number
}

/** How much a job was given to do. */
export type StoredDimensions = { readonly samples: number } | StoredMatrixDimensions | StoredAudioDimensions

/**
 * Reads a job's dimensions from its journalled spec.
 * @returns undefined for parameters that are broken: such a job fails by itself, and must be able to end.
 */
export function dimensionsOf({ kind, params, inputBytes }: JobSpec): StoredDimensions | undefined {
  try {
    if (findTaskKind(kind)?.takes === 'segments') {
      const { channels, frames, sampleRate } = parseAudioSource(params)
      return { audioSeconds: frames / sampleRate, channels, sampleRate, chunkBytes: inputBytes }
    }
    if (kind !== MATRIX_KIND) return { samples: inputBytes / SAMPLE_BYTES }
    const { rows, inner, columns, tileRows, tileColumns } = parseMatrixPlan(params)
    return { rows, inner, columns, tileRows, tileColumns }
  } catch (error) {
    if (error instanceof SwarmError && error.code === 'PARAMS_INVALID') return undefined
    throw error
  }
}
