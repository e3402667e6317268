import type { ComputePool } from '../domain/compute.ts'
import type { ExitCode } from '../errors.ts'
import type { Device } from './onnx-runtime.ts'

/** Requests of the operations, as they cross to a kernel thread. */
export type ReadInputsRequest = Parameters<ComputePool['readInputs']>[0]
export type RunKernelRequest = Parameters<ComputePool['runKernel']>[0]
export type RunLocalRequest = Parameters<ComputePool['runLocal']>[0]
export type CheckResultRequest = Parameters<ComputePool['checkResult']>[0]
export type HashSharedRequest = Parameters<ComputePool['hashShared']>[0]
export type ReadOperandsRequest = Parameters<ComputePool['readOperands']>[0]
export type RunTilesRequest = Parameters<ComputePool['runTiles']>[0] & { readonly device: Device }
export type DecodeAudioRequest = Parameters<ComputePool['decodeSound']>[0]
export type SummarizePassRequest = Parameters<ComputePool['summarizePass']>[0]
export type CheckTilesRequest = Parameters<ComputePool['checkTiles']>[0]

/** Answers of the operations. */
export interface ReadInputsReply {
  readonly inputs: readonly ReadInput[]
}
interface ReadInput {
  readonly buffer: ArrayBuffer
  readonly inputHash: Uint8Array
}
export interface RunKernelReply {
  readonly buffer: ArrayBuffer
  readonly byteLength: number
  readonly outputHash: Uint8Array
  readonly computeMs: number
}
export interface RunLocalReply {
  readonly buffer: ArrayBuffer
  readonly byteLength: number
  readonly computeMs: number
}
export interface CheckResultReply {
  readonly buffer: ArrayBuffer
  readonly verdict: 'passed' | 'refused' | 'input-changed'
  readonly reason?: string
  /** True when result, signed claim and input together prove that the result is false. */
  readonly proof?: boolean
  readonly checkMs?: number
}

export interface HashSharedReply {
  readonly hash: Uint8Array
}
export interface ReadOperandsReply {
  readonly hashes: readonly (Uint8Array | undefined)[]
}
export type RunTilesReply = RunKernelReply
export type CheckTilesReply = CheckResultReply

/** An error as it crosses threads: structured clones lose `code`. */
export interface ThreadFailure {
  readonly failure: { readonly code: string; readonly message: string; readonly exitCode: ExitCode }
}
