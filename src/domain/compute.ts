import type { KernelCall } from '../tasks/task-kind.ts'
import type { AudioShape, SampleEncoding } from '../tasks/wav/audio-format.ts'
import type { SignalSummary } from '../tasks/wav/effects/effect.ts'
import type { InputPart } from './chunk-parts.ts'
import type { JobFindings } from './findings.ts'

/** What a matrix kernel is told beside its operands. */
export interface TileCall {
  readonly kernelId: string
  /** An encoded `MatrixPlan`. */
  readonly params: Uint8Array
}

/** Absolute paths of the operands of a product. */
export interface MatrixFiles {
  readonly a: string
  readonly b: string
}

/** What came of a peer's result, which lies in `buffer`. */
export interface ResultCheck {
  readonly buffer: ArrayBuffer
  readonly verdict: 'passed' | 'refused' | 'input-changed'
  readonly reason?: string
  /** True when result, signed claim and input together prove that the result is false. */
  readonly proof?: boolean
  /** Time that the check took its thread, where it is not memory speed, in ms. */
  readonly checkMs?: number
}

/** Where the reports of a job's segments lie. */
export interface SegmentReports {
  readonly kind: string
  readonly params: Uint8Array
  /** The file that chunks are placed in. */
  readonly path: string
  /** What the result holds around its audio. */
  readonly headBytes: number
  readonly tailBytes: number
}

/** What all segments of a job found together. */
export interface SegmentFindings {
  readonly figures: JobFindings
  /** Files to stand beside the result. */
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  /** What the result is, where it is not what was placed. */
  readonly content?: Uint8Array
}

/** Sound that was decoded to interleaved raw samples. */
export interface DecodedSound {
  readonly shape: AudioShape
  readonly encoding: SampleEncoding
  /** What the file was, such as `mp3`. */
  readonly format: string
  readonly notices: readonly string[]
}

/** What `submitter` and `worker` need of the compute threads. Buffers are transferred, never copied. */
export interface ComputePool {
  /** Kernel threads. */
  readonly threads: number
  /**
   * Reads inputs of chunks, each into its `buffer` (transferred there and back), and hashes them. All that one claim asks
   * for goes in one call: a thread's answer takes longer than a small chunk.
   * @returns one item an input, in their order
   */
  readInputs(
    request: { inputs: readonly { parts: readonly InputPart[]; buffer: ArrayBuffer }[] },
    options: { signal: AbortSignal }
  ): Promise<readonly { buffer: ArrayBuffer; inputHash: Uint8Array }[]>
  /**
   * Worker: checks the input's hash, runs the kernel, hashes the result.
   * @param progress one Int32 that the kernel thread advances (bytes done, in KiB)
   * @throws SwarmError INPUT_MISMATCH, KERNEL_FAILED
   */
  runKernel(
    request: {
      call: KernelCall
      buffer: ArrayBuffer
      byteLength: number
      inputHash: Uint8Array
      progress: Int32Array<SharedArrayBuffer>
    },
    options: { signal: AbortSignal }
  ): Promise<{ buffer: ArrayBuffer; byteLength: number; outputHash: Uint8Array; computeMs: number }>
  /** Submitter's own worker: reads an input and runs the kernel; no hashes. @throws SwarmError KERNEL_FAILED, INPUT_UNREADABLE */
  runLocal(
    request: { call: KernelCall; input: readonly InputPart[]; buffer: ArrayBuffer },
    options: { signal: AbortSignal }
  ): Promise<{ buffer: ArrayBuffer; byteLength: number; computeMs: number }>
  /**
   * Checks a peer's result in `buffer` against its claimed hash and against the input, which is read again.
   * @returns verdict `passed`; `refused` with the reason (and `proof` true when the result is proven false);
   *   `input-changed` when the file no longer has the hash that was granted.
   */
  checkResult(
    request: {
      call: KernelCall
      input: readonly InputPart[]
      inputHash: Uint8Array
      buffer: ArrayBuffer
      resultBytes: number
      outputHash: Uint8Array
      /** Check all of it, where the kind would leave most of that to chance. */
      whole: boolean
    },
    options: { signal: AbortSignal }
  ): Promise<ResultCheck>
  /**
   * Decodes a compressed file of sound, or a video's, into a file of raw samples. @throws SwarmError AUDIO_UNKNOWN,
   * AUDIO_MALFORMED, FFMPEG_MISSING, INPUT_UNREADABLE, OUTPUT_WRITE_FAILED
   */
  decodeSound(
    request: { path: string; outputPath: string; salvage: boolean },
    options: { signal: AbortSignal }
  ): Promise<DecodedSound>
  /** Reads what a pass reported, and sums it up for the next. @throws SwarmError INPUT_UNREADABLE, MEASURE_INVALID */
  summarizePass(request: SegmentReports & { pass: number }, options: { signal: AbortSignal }): Promise<SignalSummary>
  /** Reads what all passes reported. @throws SwarmError INPUT_UNREADABLE, MEASURE_INVALID */
  concludeSegments(request: SegmentReports, options: { signal: AbortSignal }): Promise<SegmentFindings>
  /** Hashes shared memory, so that what came from a peer is checked without a copy. */
  hashShared(
    request: { buffer: SharedArrayBuffer; byteLength: number },
    options: { signal: AbortSignal }
  ): Promise<Uint8Array>
  /**
   * Computes a run of tiles from operand blocks in shared memory, and hashes the result.
   * @param buffer gets the result, if it is large enough
   * @param progress as in {@link ComputePool.runKernel}
   * @throws SwarmError KERNEL_FAILED
   */
  runTiles(
    request: {
      call: TileCall
      run: { outputOffset: number; outputBytes: number }
      /** In the order of `TileGrid.operandsOf`. */
      operands: readonly { buffer: SharedArrayBuffer; byteLength: number }[]
      buffer: ArrayBuffer
      progress: Int32Array<SharedArrayBuffer>
      /** False: `outputHash` is empty. */
      hashes: boolean
    },
    options: { signal: AbortSignal }
  ): Promise<{ buffer: ArrayBuffer; byteLength: number; outputHash: Uint8Array; computeMs: number }>
  /**
   * Submitter: reads operands of a matrix job, each into its `buffer`. @returns the hashes of those whose hash is wanted, in
   *   order, and undefined for the others.
   * @throws SwarmError INPUT_UNREADABLE
   */
  readOperands(
    request: {
      files: MatrixFiles
      params: Uint8Array
      operands: readonly { index: number; buffer: SharedArrayBuffer; hashes: boolean }[]
    },
    options: { signal: AbortSignal }
  ): Promise<readonly (Uint8Array | undefined)[]>
  /** {@link ComputePool.checkResult} for a run of tiles. The files are read only to tell a changed input from a lie. */
  checkTiles(
    request: {
      call: TileCall
      files: MatrixFiles
      /** In the order of `TileGrid.operandsOf`. */
      operands: readonly { buffer: SharedArrayBuffer; byteLength: number }[]
      run: { outputOffset: number; outputBytes: number }
      /** Over the hashes of the run's operands. */
      inputHash: Uint8Array
      buffer: ArrayBuffer
      outputHash: Uint8Array
    },
    options: { signal: AbortSignal }
  ): Promise<ResultCheck>
  close(): Promise<void>
}
