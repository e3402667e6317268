import { openNpy } from '../compute/npy-file.ts'
import { installedFastKernelId } from '../compute/onnx-runtime.ts'
import type { FileStamp } from '../domain/job.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { checkInputFile } from '../store/input-file.ts'
import { BLOCK_BYTES, CHUNK_BYTES_MAX } from '../submitter/open-job.ts'
import { EXACT_KERNEL_ID } from '../tasks/matrix/exact-kernel.ts'
import { encodeMatrixPlan, planMatrix } from '../tasks/matrix/matrix-plan.ts'
import { requireTaskKind } from '../tasks/registry.ts'
import type { RangeTask, TileTask } from '../tasks/task-kind.ts'
import type { SubmitRequest } from './api-types.ts'
import type { SoundDecoder } from './audio-input.ts'
import type { JobShape } from './shaped-job.ts'

/** Longest chunk of small tiles, in bytes. */
const SMALL_TILES_BYTES = 1024 * 1024
const FLOAT_BYTES = 4

/**
 * Looks at the input files of a request.
 * @param decoder for sound that is no WAV file
 * @throws SwarmError TASK_UNKNOWN, INPUT_MISSING and others for files that are no input of the task, OPTION_UNSUITABLE
 */
export async function shapeJob(request: SubmitRequest, decoder?: SoundDecoder): Promise<JobShape> {
  const kind = requireTaskKind(request.task)
  if (request.audio !== undefined && kind.takes !== 'segments') {
    throw unsuitable(
      `--effects, --format, --salvage and settings of silence are for audio, not for --task ${kind.kind}`
    )
  }
  switch (kind.takes) {
    case 'ranges':
      return shapeRanges(request, kind)
    case 'segments':
      return (await import('./audio-shape.ts')).shapeAudio(request, kind, decoder)
    case 'tiles':
      return shapeProduct(request, kind)
  }
}

async function shapeRanges(request: SubmitRequest, kind: RangeTask): Promise<JobShape> {
  if (request.rightPath !== undefined || request.exact) {
    throw unsuitable(`--b and --exact are for --task matrix, not for ${kind.kind}`)
  }
  const input = await checkInputFile(request.inputPath)
  kind.checkInput(input.byteLength)
  const chunkBytesMax = request.chunkBytes ?? CHUNK_BYTES_MAX
  return {
    kind,
    kernelId: kind.kernelId,
    params: new Uint8Array(0),
    inputBytes: input.byteLength,
    inputModifiedMs: input.modifiedMs,
    blockBytes: request.chunkBytes === undefined ? BLOCK_BYTES : Math.min(BLOCK_BYTES, chunkBytesMax),
    chunkBytesMax,
    notices: []
  }
}

async function shapeProduct(request: SubmitRequest, kind: TileTask): Promise<JobShape> {
  if (request.rightPath === undefined) throw unsuitable('--task matrix multiplies two files: name the second with --b')
  if (request.reverse) throw unsuitable('a matrix product has no order to reverse: leave --reverse out')
  using a = openNpy(request.inputPath)
  using b = openNpy(request.rightPath)
  if (a.header.cols !== b.header.rows) {
    throw new SwarmError(
      'MATRIX_SHAPE',
      `${a.path} has ${a.header.cols} columns and ${b.path} has ${b.header.rows} rows, but in A·B both must be equal`,
      { exitCode: EXIT_CODES.usage }
    )
  }
  const plan = planMatrix(
    { rows: a.header.rows, inner: a.header.cols, columns: b.header.cols },
    { tileBytesMax: request.chunkBytes, isExact: request.exact === true }
  )
  const tileBytes = plan.tileRows * plan.tileColumns * FLOAT_BYTES
  return {
    kind,
    kernelId: request.exact ? EXACT_KERNEL_ID : fastKernel(),
    params: encodeMatrixPlan(plan),
    inputBytes: plan.rows * plan.columns * FLOAT_BYTES,
    inputModifiedMs: a.modifiedMs,
    blockBytes: tileBytes,
    chunkBytesMax: Math.max(request.chunkBytes ?? SMALL_TILES_BYTES, tileBytes),
    operands: { a: stampOf(a), b: stampOf(b) },
    notices: [a, b].flatMap(({ converted, path }) =>
      converted ? [`${path} is float64: its elements are rounded to float32 as they are read`] : []
    )
  }
}

function fastKernel(): string {
  const kernelId = installedFastKernelId()
  if (kernelId !== undefined) return kernelId
  throw new SwarmError(
    'KERNEL_MISSING',
    'the fast matrix kernel needs the optional package onnxruntime-node, which is not installed here; use --exact, ' +
      'which needs no package',
    { exitCode: EXIT_CODES.usage }
  )
}

function stampOf({ path, byteLength, modifiedMs }: FileStamp): FileStamp {
  return { path, byteLength, modifiedMs }
}

function unsuitable(message: string): SwarmError {
  return new SwarmError('OPTION_UNSUITABLE', message, { exitCode: EXIT_CODES.usage })
}
