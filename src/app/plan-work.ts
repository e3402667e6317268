import { contentHash } from '../content-hash.ts'
import { toHex } from '../domain/bytes.ts'
import { SHIP_BOTH_ENDS_NS_PER_BYTE, SHIP_NS_PER_BYTE } from '../domain/cost-model.ts'
import type { ForecastWork } from '../domain/forecast-types.ts'
import { planChunkBytes } from '../domain/planner.ts'
import type { KernelMeasure } from '../store/measure-store.ts'
import { parseMatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import { TileGrid } from '../tasks/matrix/tile-grid.ts'
import type { SubmitRequest } from './api-types.ts'
import type { JobShape } from './shaped-job.ts'

/** What a cold start of threads and kernels takes when it was not measured, in ms. */
export const START_MS_ASSUMED = 100
/** Thread time for the check of a tile for each byte of its operands when it was not measured, in ns: they are read again. */
const CHECK_NS_PER_OPERAND_BYTE = 2
const FLOAT_BYTES = 4
/** Of the hash that names a chain of effects on audio of one format and length. */
const KERNEL_NAME_DIGITS = 16

/** Name under which a job's kernel is remembered: small tiles run at another speed than large ones. */
export function kernelName({
  audio,
  kernelId,
  operands,
  params
}: Pick<JobShape, 'audio' | 'kernelId' | 'operands' | 'params'>): string {
  // Effects differ, and so do sample rates and formats.
  if (audio !== undefined) return `${kernelId} ${toHex(contentHash(params)).slice(0, KERNEL_NAME_DIGITS)}`
  if (operands === undefined) return kernelId
  const { inner, tileColumns, tileRows } = parseMatrixPlan(params)
  return `${kernelId} ${tileRows}x${inner}x${tileColumns}`
}

/** What a kernel takes where nothing was measured. */
export function assumedKernel(shape: JobShape): KernelMeasure {
  const { partInputBytes } = partsOf(shape)
  const checkNs = (partInputBytes ?? 0) * CHECK_NS_PER_OPERAND_BYTE
  return {
    nsPerByte: shape.kind.estimateNsPerByte(shape),
    startMs: START_MS_ASSUMED,
    checkNsPerByte: checkNs / shape.blockBytes
  }
}

/** A job as the forecast's model takes it. */
export function workOf(shape: JobShape, request: SubmitRequest, kernel: KernelMeasure): ForecastWork {
  const { inputBytes, kind } = shape
  const encrypt = request.encrypt ?? kind.defaults.encrypt
  // What the cost model counts is a byte out and back.
  const perByte = kind.takes === 'tiles' ? 1 : 0.5
  return {
    computeMs: (inputBytes * kernel.nsPerByte) / 1e6,
    startMs: kernel.startMs,
    checkMs: (inputBytes * kernel.checkNsPerByte) / 1e6,
    resultBytes: inputBytes,
    ...partsOf(shape),
    transport: {
      hereNsPerByte: SHIP_NS_PER_BYTE * perByte,
      thereNsPerByte: (SHIP_BOTH_ENDS_NS_PER_BYTE - SHIP_NS_PER_BYTE) * perByte
    },
    sealing: encrypt ? (kind.takes === 'ranges' ? 'along' : 'after') : 'none',
    kept: SHIP_NS_PER_BYTE >= kernel.nsPerByte
  }
}

/** Typical length of a chunk, in bytes. */
export function typicalChunkBytes(
  { blockBytes, chunkBytesMax, inputBytes }: JobShape,
  { chunkBytes }: SubmitRequest,
  { nsPerByte }: KernelMeasure,
  workers: number
): number {
  const bytesPerSecond = 1e9 / nsPerByte
  const speed = { bytesPerSecond, computeNsPerByte: nsPerByte, largestBytes: chunkBytesMax }
  const load = { openBytes: inputBytes, bytesPerSecond: bytesPerSecond * Math.max(1, workers) }
  const bounds = { blockBytes, chunkBytesMax, chunkBytesFixed: chunkBytes !== undefined }
  return Math.min(planChunkBytes(bounds, speed, load), inputBytes)
}

function partsOf({ blockBytes, inputBytes, operands, params }: JobShape) {
  if (operands === undefined) return { inputBytes, parts: Math.max(1, Math.ceil(inputBytes / blockBytes)) }
  const { plan, tileRowCount, tileColumnCount } = new TileGrid(parseMatrixPlan(params))
  const { columns, inner, rows, tileColumns, tileRows } = plan
  return {
    inputBytes: (rows + columns) * inner * FLOAT_BYTES,
    parts: tileRowCount * tileColumnCount,
    partInputBytes: (tileRows + tileColumns) * inner * FLOAT_BYTES
  }
}
