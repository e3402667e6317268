// Entry of a kernel thread. Owns one scratch block; driven by compute-pool.ts, one operation at a time, by export name.
// Everything here is synchronous: the thread has nothing else to do.

import { contentHash, createContentHasher } from '../content-hash.ts'
import { sameBytes } from '../domain/bytes.ts'
import type { InputPart } from '../domain/chunk-parts.ts'
import type { SegmentReports } from '../domain/compute.ts'
import { SwarmError } from '../errors.ts'
import { findTaskKind } from '../tasks/registry.ts'
import type {
  KernelCall,
  OnProgress,
  RangeTask,
  RefusalReason,
  SegmentKernel,
  SegmentTask
} from '../tasks/task-kind.ts'
import { answer, answerAsync } from './answer.ts'
import { InputReader } from './input-reader.ts'
import type {
  CheckResultReply,
  CheckResultRequest,
  ReadInputsReply,
  ReadInputsRequest,
  RunKernelReply,
  RunKernelRequest,
  RunLocalReply,
  RunLocalRequest,
  SummarizePassRequest
} from './kernel-messages.ts'
import { threadTimeMs } from './thread-time.ts'

export { decodeSound } from './decode-operation.ts'
export { probeGpu } from './device-probe.ts'
export { checkTiles, hashShared, readOperands, runTiles } from './tile-operations.ts'

/**
 * Lets go of shared memory that earlier operations were given: a thread allocates so little that it would not notice for
 * thousands of operations, and keep the memory from everybody meanwhile. Does nothing without `--expose-gc` (bin/run.js).
 */
export async function collectGarbage(): Promise<void> {
  // The call of the operation before ends with this turn, and with it its last references.
  await Promise.resolve()
  globalThis.gc?.({ type: 'major' })
}

/** Bytes read and hashed at a time, while they are in cache. */
const BLOCK_BYTES = 256 * 1024

let scratch: Uint8Array<ArrayBuffer> | undefined

/** Reads and hashes inputs. */
export function readInputs({ inputs }: ReadInputsRequest): unknown {
  return answer<ReadInputsReply>(
    () => ({ inputs: inputs.map(({ parts, buffer }) => ({ buffer, inputHash: readHashed(parts, buffer) })) }),
    (reply) => reply.inputs.map(({ buffer }) => buffer)
  )
}

function readHashed(parts: readonly InputPart[], buffer: ArrayBuffer): Uint8Array {
  using reader = new InputReader(parts)
  const hash = createContentHasher()
  for (let start = 0; start < reader.byteLength; start += BLOCK_BYTES) {
    const block = new Uint8Array(buffer, start, Math.min(BLOCK_BYTES, reader.byteLength - start))
    reader.readWhole(block, start)
    hash.update(block)
  }
  return hash.digest()
}

/** Checks the input's hash, runs the kernel, hashes the result. */
export function runKernel(request: RunKernelRequest): Promise<unknown> {
  return answerAsync<RunKernelReply>(async () => {
    const kernel = await kernelOf(request.call)
    const input = new Uint8Array(request.buffer, 0, request.byteLength)
    if (!sameBytes(contentHash(input), request.inputHash)) {
      throw new SwarmError('INPUT_MISMATCH', 'the input that came does not have the hash that was granted')
    }
    const { progress } = request
    const ran = compute(kernel, request.call, input, (bytesDone) => Atomics.store(progress, 0, bytesDone >>> 10))
    return { ...ran, outputHash: contentHash(new Uint8Array(ran.buffer, 0, ran.byteLength)) }
  }, ownBuffer)
}

/** Reads an input and runs the kernel. */
export function runLocal(request: RunLocalRequest): Promise<unknown> {
  return answerAsync<RunLocalReply>(async () => {
    const kernel = await kernelOf(request.call)
    using reader = new InputReader(request.input)
    const input = new Uint8Array(request.buffer, 0, reader.byteLength)
    reader.readWhole(input, 0)
    return compute(kernel, request.call, input)
  }, ownBuffer)
}

/** Checks a peer's result against its claimed hash and against the input, read again. */
export function checkResult(request: CheckResultRequest): Promise<unknown> {
  return answerAsync<CheckResultReply>(async () => {
    const kernel = await kernelOf(request.call)
    const { buffer } = request
    const result = new Uint8Array(buffer, 0, request.resultBytes)
    if (!sameBytes(contentHash(result), request.outputHash)) {
      return { buffer, verdict: 'refused', reason: 'the result does not have the hash that was claimed', proof: false }
    }
    using reader = new InputReader(request.input)
    const startedMs = threadTimeMs()
    const reason = verify(kernel, result, request, reader)
    const checkMs = kernel.takes === 'segments' ? threadTimeMs() - startedMs : 0
    if (reason === undefined) return { buffer, verdict: 'passed', checkMs }
    if (!sameBytes(hashInput(reader), request.inputHash)) {
      return { buffer, verdict: 'input-changed', reason: `${reader.name} has changed since the chunk was granted` }
    }
    return { buffer, verdict: 'refused', reason, proof: true, checkMs }
  }, ownBuffer)
}

function verify(kernel: Kernel, result: Uint8Array, request: CheckResultRequest, reader: InputReader): RefusalReason {
  const { call, whole } = request
  const { byteLength: inputBytes } = reader
  if (kernel.takes === 'segments') {
    let isShorter = false
    const read = (byteLengthMax = inputBytes) => {
      const input = scratchOf(Math.min(byteLengthMax, inputBytes))
      if (reader.readUpTo(input, 0) < input.byteLength) isShorter = true
      return input
    }
    const reason = kernel.verify(read, result, call, { whole, random: Math.random })
    return isShorter ? `${reader.name} is shorter than it was` : reason
  }
  if (result.byteLength !== inputBytes) return `the result has ${result.byteLength} bytes instead of ${inputBytes}`
  const block = scratchOf(kernel.verifyBlockBytes)
  for (let start = 0; start < inputBytes; start += block.byteLength) {
    const input = block.subarray(0, Math.min(block.byteLength, inputBytes - start))
    const end = start + input.byteLength
    if (reader.readUpTo(input, start) < input.byteLength) return `${reader.name} is shorter than it was`
    const run = call.reverse ? result.subarray(inputBytes - end, inputBytes - start) : result.subarray(start, end)
    const reason = kernel.verify(input, run, call)
    if (reason !== undefined) return `in the ${input.byteLength} bytes from offset ${start} of the chunk: ${reason}`
  }
  return undefined
}

/** Hash of the input as its files hold it now; of what is left of it when one was cut. */
function hashInput(reader: InputReader): Uint8Array {
  const hash = createContentHasher()
  const block = scratchOf(BLOCK_BYTES)
  for (let start = 0; start < reader.byteLength; start += block.byteLength) {
    const part = block.subarray(0, Math.min(block.byteLength, reader.byteLength - start))
    hash.update(part.subarray(0, reader.readUpTo(part, start)))
  }
  return hash.digest()
}

function compute(
  kernel: Kernel,
  call: KernelCall,
  input: Uint8Array<ArrayBuffer>,
  onProgress?: OnProgress
): RunLocalReply {
  const startedMs = threadTimeMs()
  try {
    const isSegments = kernel.takes === 'segments'
    const result = isSegments ? kernel.run(input, call, onProgress, scratchOf) : kernel.run(input, call, onProgress)
    const computeMs = threadTimeMs() - startedMs
    return { buffer: bufferOf(result, input.buffer), byteLength: result.byteLength, computeMs }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwarmError('KERNEL_FAILED', `kernel ${kernel.kernelId} failed: ${reason}`, { cause: error })
  }
}

/** A buffer with the result at its start: the caller's own one whenever the result fits. */
function bufferOf(result: Uint8Array, own: ArrayBuffer): ArrayBuffer {
  if (result.buffer === own && result.byteOffset === 0) return own
  if (result.byteLength > own.byteLength) return result.slice().buffer as ArrayBuffer
  new Uint8Array(own).set(result)
  return own
}

/** What computes chunks and checks their results. */
type Kernel = RangeTask | (SegmentKernel & Pick<SegmentTask, 'kernelId' | 'takes'>)

/** Kernels of segments are loaded when there is work for them: most threads never have any. */
async function kernelOf({ kind: name }: KernelCall): Promise<Kernel> {
  const kind = findTaskKind(name)
  if (kind?.takes === 'ranges') return kind
  if (kind?.takes !== 'segments') {
    throw new SwarmError('KERNEL_FAILED', `there is no task kind ${JSON.stringify(name)} whose chunks have inputs`)
  }
  const { segmentKernel } = await import('./segment-kernels.ts')
  return { ...segmentKernel(name), kernelId: kind.kernelId, takes: kind.takes }
}

/** Reads what a pass of segments reported. */
export async function summarizePass(request: SummarizePassRequest): Promise<unknown> {
  return (await import('./segment-reports.ts')).summarizePass(request)
}

/** Reads what all passes of segments reported. */
export async function concludeSegments(request: SegmentReports): Promise<unknown> {
  return (await import('./segment-reports.ts')).concludeSegments(request)
}

function ownBuffer({ buffer }: { buffer: ArrayBuffer }): readonly ArrayBuffer[] {
  return [buffer]
}

function scratchOf(byteLength: number): Uint8Array<ArrayBuffer> {
  if (scratch === undefined || scratch.byteLength < byteLength) scratch = new Uint8Array(byteLength)
  return scratch.subarray(0, byteLength)
}
