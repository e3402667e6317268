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

/** What every kind of work says of itself. Kinds live in a closed registry; nothing from the wire chooses code. */
interface TaskFacts {
  readonly kind: string
  readonly unit: UnitName
  /** File extension of the result, without a dot. */
  readonly extension: string
  /** How the kind is verified, as shown in receipts and ledger, for example `full`. */
  readonly verification: string
  /** Whether `submit` reverses and encrypts unless told otherwise. */
  readonly defaults: { readonly reverse: boolean; readonly encrypt: boolean }
  /** The job's parameters as plain data, for people and manifests; undefined where there are none. */
  describe(params: Uint8Array): object | undefined
  /** Credit for a chunk of this many bytes, in {@link TaskFacts.unit}. */
  units(chunkBytes: number, job: { readonly params: Uint8Array; readonly inputBytes: number }): number
  /** Estimated time of the kernel on one core for a byte of a chunk, before anything was measured, in ns. */
  estimateNsPerByte(job: { readonly params: Uint8Array; readonly kernelId: string }): number
}

/**
 * Work on ranges of one file: a chunk's result depends on its own bytes alone. Pure: no clock, randomness, I/O or threads.
 */
export interface RangeTask extends TaskFacts {
  readonly takes: 'ranges'
  /** Changes whenever the order of operations does, so results of different kernels never mix. */
  readonly kernelId: string
  /** Bytes of one sample; a job's grid and every chunk are multiples of it. */
  readonly sampleBytes: number
  /** @throws SwarmError with code INPUT_EMPTY or INPUT_LENGTH when a file of this length is no valid input. */
  checkInput(inputBytes: number): void
  /** Runs in a kernel thread. May work in place and return a view of the same buffer. */
  run(input: Uint8Array, call: KernelCall, onProgress?: OnProgress): Uint8Array
  /**
   * A chunk is verified in runs of this many bytes, each against its own (when reversed: mirrored) run of the result, so
   * that the input need not be held whole. A multiple of {@link RangeTask.sampleBytes}.
   */
  readonly verifyBlockBytes: number
  /**
   * Runs in a compute thread on the submitter. `input` is scratch and may be overwritten; `result` may be overwritten
   * only if restored before returning.
   * @returns why the result is refused, or undefined when it is right.
   */
  verify(input: Uint8Array, result: Uint8Array, call: KernelCall): RefusalReason
}

/**
 * A matrix product, cut into tiles whose operands several chunks share. What computes and checks tiles is in the compute
 * layer, since the fast kernel is native.
 */
export interface TileTask extends TaskFacts {
  readonly takes: 'tiles'
}

/**
 * Work on a signal, cut into segments that overlap in what they read: a chunk's input says for itself which segments of
 * which pass it is for. What computes them is a {@link SegmentKernel}.
 */
export interface SegmentTask extends TaskFacts {
  readonly takes: 'segments'
  readonly kernelId: string
  /** Whether the kernel needs packages that may not be installed. */
  readonly isOptional: boolean
}

/** How much of a result is checked. */
export interface CheckDepth {
  /** True: all of it; else a random share of its segments. */
  readonly whole: boolean
  /** In [0, 1), and no business of the peer whose result it is. */
  readonly random: () => number
}

/** Reads the first so many bytes of a chunk's input, or all that there are; good until the next call. */
export type ReadInput = (byteLengthMax?: number) => Uint8Array

/** Memory of so many bytes. */
export type Room = (byteLength: number) => Uint8Array

/** Computes and checks segments; loaded by whoever does so. */
export interface SegmentKernel {
  /**
   * Runs in a kernel thread.
   * @param room gives memory for the result, of any content; new memory when absent
   * @returns the results of the chunk's segments, one after the other
   */
  run(input: Uint8Array, call: KernelCall, onProgress?: OnProgress, room?: Room): Uint8Array
  /** Computes segments again. @returns why the result is refused, or undefined */
  verify(read: ReadInput, result: Uint8Array, call: KernelCall, depth: CheckDepth): RefusalReason
}

/** One kind of work. */
export type TaskKind = RangeTask | SegmentTask | TileTask
