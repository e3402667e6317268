/** What a job counts as work: credit is a number of these. */
export type UnitName = 'samples' | 'flops' | 'audio-seconds'

/** What a kernel is told beside its input. Plain data, so that it crosses threads and the wire. */
export interface KernelCall {
  /** Name of a kind in the closed registry. */
  readonly kind: string
  /** Encoded parameters of the kind; empty for `invert`. */
  readonly params: Uint8Array
  /** Whether the result is reversed by sample. */
  readonly reverse: boolean
}

/** Called by a kernel now and then with the bytes done so far, so that a hung kernel can be told from a slow one. */
export type OnProgress = (bytesDone: number) => void

/** Why a result was refused, in words for the evidence file; `undefined` when it passed. */
export type RefusalReason = string | undefined

/**
 * One kind of work, pure: no clock, randomness, I/O or threads. Kinds live in a closed registry; nothing from the wire
 * chooses code.
 */
export interface TaskKind {
  readonly kind: string
  /** Changes whenever the order of operations does, so results of different kernels never mix. */
  readonly kernelId: string
  readonly unit: UnitName
  /** Bytes of one sample; a job's grid and every chunk are multiples of it. */
  readonly sampleBytes: number
  /** File extension of the result, without a dot. */
  readonly extension: string
  /** How the kind is verified, as shown in receipts and ledger, for example `full`. */
  readonly verification: string
  /** Estimated time of the kernel on one core, before anything was measured. */
  readonly estimateNsPerByte: number
  /** Whether `submit` reverses and encrypts unless told otherwise. */
  readonly defaults: { readonly reverse: boolean; readonly encrypt: boolean }
  /** @throws SwarmError with code INPUT_EMPTY or INPUT_LENGTH when a file of this length is no valid input. */
  checkInput(inputBytes: number): void
  /** Credit for a chunk of this many input bytes, in {@link TaskKind.unit}. */
  units(inputBytes: number): number
  /** Runs in a kernel thread. May work in place and return a view of the same buffer. */
  run(input: Uint8Array, call: KernelCall, onProgress?: OnProgress): Uint8Array
  /**
   * Set when a chunk may be verified in runs of this many bytes, each against its own (when reversed: mirrored) run of
   * the result, so that the input need not be held whole. A multiple of {@link TaskKind.sampleBytes}.
   */
  readonly verifyBlockBytes?: number
  /**
   * Runs in a compute thread on the submitter. `input` is scratch and may be overwritten; `result` may be overwritten
   * only if restored before returning.
   * @returns why the result is refused, or undefined when it is right.
   */
  verify(input: Uint8Array, result: Uint8Array, call: KernelCall): RefusalReason
}
