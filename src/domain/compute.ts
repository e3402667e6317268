import type { KernelCall } from '../tasks/task-kind.ts'

/** What `submitter` and `worker` need of the compute threads. Buffers are transferred, never copied. */
export interface ComputePool {
  /** Kernel threads. */
  readonly threads: number
  /**
   * Reads ranges of a file, each into its `buffer` (transferred there and back), and hashes them. All that one claim asks
   * for goes in one call: a thread's answer takes longer than a small chunk.
   * @returns one item a range, in their order
   */
  readInputs(
    request: { path: string; ranges: readonly { offset: number; byteLength: number; buffer: ArrayBuffer }[] },
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
  /** Submitter's own worker: reads a range and runs the kernel; no hashes. @throws SwarmError KERNEL_FAILED, INPUT_UNREADABLE */
  runLocal(
    request: { call: KernelCall; path: string; offset: number; byteLength: number; buffer: ArrayBuffer },
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
      path: string
      offset: number
      inputBytes: number
      inputHash: Uint8Array
      buffer: ArrayBuffer
      resultBytes: number
      outputHash: Uint8Array
    },
    options: { signal: AbortSignal }
  ): Promise<{ buffer: ArrayBuffer; verdict: 'passed' | 'refused' | 'input-changed'; reason?: string; proof?: boolean }>
  close(): Promise<void>
}
