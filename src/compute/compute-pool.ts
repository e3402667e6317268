import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { ComputePool, DecodedSound, SegmentFindings, SegmentReports } from '../domain/compute.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import type { SignalSummary } from '../tasks/wav/effects/effect.ts'
import type { GpuProbe } from './device-probe.ts'
import type {
  CheckResultReply,
  CheckResultRequest,
  CheckTilesReply,
  CheckTilesRequest,
  DecodeAudioRequest,
  HashSharedReply,
  HashSharedRequest,
  ReadInputsReply,
  ReadInputsRequest,
  ReadOperandsReply,
  ReadOperandsRequest,
  RunKernelReply,
  RunKernelRequest,
  RunLocalReply,
  RunLocalRequest,
  RunTilesReply,
  RunTilesRequest,
  SummarizePassRequest,
  ThreadFailure
} from './kernel-messages.ts'
import type { Device } from './onnx-runtime.ts'
import { SlotQueue } from './slot-queue.ts'

/** Operations that may wait for a thread; more is a bug of the caller, whose windows are far smaller. */
const WAITING_OPERATIONS_MAX = 1024
/** How long an aborted operation may go on before its thread is ended, in ms. Ending a thread costs more than a short operation. */
const ABORT_GRACE_MS = 200
/** How long a thread beyond the first stays without work; each is 10 MB. */
const THREAD_IDLE_MS = 2_000
/** Heap of a thread; chunk buffers do not count. Small heaps keep a thread at 10 MB. */
const THREAD_LIMITS = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64, stackSizeMb: 2 }

/** One call into a thread. */
interface Operation {
  /** Of the thread's exports. */
  readonly name: string
  readonly request: object
  readonly transferList: ArrayBuffer[]
  readonly signal: AbortSignal
  /** Goes before what only waits. */
  readonly urgent?: boolean
}

/** Kernel threads over piscina. Owns the threads; whoever opens it closes it. */
export class KernelPool implements ComputePool {
  readonly threads: number
  readonly #pool: Piscina
  readonly #slots: SlotQueue
  /** For reading inputs and checking results: one thread less, so that a submitter of cheap work needs no second one. */
  readonly #serviceSlots: SlotQueue
  readonly #abortGraceMs: number
  #device: Device = 'cpu'

  /**
   * @param threads kernel threads, at least 1
   * @param options abortGraceMs: {@link ABORT_GRACE_MS} unless given
   */
  constructor(threads: number, options: { abortGraceMs?: number } = {}) {
    this.threads = threads
    this.#abortGraceMs = options.abortGraceMs ?? ABORT_GRACE_MS
    this.#slots = new SlotQueue(threads, WAITING_OPERATIONS_MAX)
    this.#serviceSlots = new SlotQueue(Math.max(1, threads - 1), WAITING_OPERATIONS_MAX)
    this.#pool = new Piscina({
      // Beside this file under either extension: .ts as run by the tests, .js from dist.
      filename: fileURLToPath(new URL(`./kernel-thread${extname(import.meta.url)}`, import.meta.url)),
      minThreads: 1,
      maxThreads: threads,
      idleTimeout: THREAD_IDLE_MS,
      maxQueue: threads,
      execArgv: [],
      resourceLimits: THREAD_LIMITS
    })
  }

  async readInputs(
    request: ReadInputsRequest,
    options: { signal: AbortSignal }
  ): Promise<readonly { buffer: ArrayBuffer; inputHash: Uint8Array }[]> {
    const transferList = request.inputs.map(({ buffer }) => buffer)
    // Before checks: a peer waits for its grant with idle threads, for a receipt it waits beside its work.
    const operation = { name: 'readInputs', request, transferList, ...options, urgent: true }
    return (await this.#serve<ReadInputsReply>(operation)).inputs
  }

  runKernel(request: RunKernelRequest, options: { signal: AbortSignal }): Promise<RunKernelReply> {
    return this.#run<RunKernelReply>({ name: 'runKernel', request, transferList: [request.buffer], ...options })
  }

  runLocal(request: RunLocalRequest, options: { signal: AbortSignal }): Promise<RunLocalReply> {
    return this.#run<RunLocalReply>({ name: 'runLocal', request, transferList: [request.buffer], ...options })
  }

  checkResult(request: CheckResultRequest, options: { signal: AbortSignal }): Promise<CheckResultReply> {
    return this.#serve<CheckResultReply>({ name: 'checkResult', request, transferList: [request.buffer], ...options })
  }

  decodeSound(request: DecodeAudioRequest, options: { signal: AbortSignal }): Promise<DecodedSound> {
    return this.#run<DecodedSound>({ name: 'decodeSound', request, transferList: [], ...options })
  }

  summarizePass(request: SummarizePassRequest, options: { signal: AbortSignal }): Promise<SignalSummary> {
    return this.#run<SignalSummary>({ name: 'summarizePass', request, transferList: [], ...options, urgent: true })
  }

  concludeSegments(request: SegmentReports, options: { signal: AbortSignal }): Promise<SegmentFindings> {
    return this.#run<SegmentFindings>({ name: 'concludeSegments', request, transferList: [], ...options })
  }

  async hashShared(request: HashSharedRequest, options: { signal: AbortSignal }): Promise<Uint8Array> {
    // Before kernels that only wait: a lease needs all of its operands.
    const operation = { name: 'hashShared', request, transferList: [], ...options, urgent: true }
    return (await this.#run<HashSharedReply>(operation)).hash
  }

  async readOperands(
    request: ReadOperandsRequest,
    options: { signal: AbortSignal }
  ): Promise<ReadOperandsReply['hashes']> {
    const operation = { name: 'readOperands', request, transferList: [], ...options, urgent: true }
    return (await this.#run<ReadOperandsReply>(operation)).hashes
  }

  runTiles(request: Omit<RunTilesRequest, 'device'>, options: { signal: AbortSignal }): Promise<RunTilesReply> {
    const onDevice = { ...request, device: this.#device }
    return this.#run<RunTilesReply>({ name: 'runTiles', request: onDevice, transferList: [request.buffer], ...options })
  }

  checkTiles(request: CheckTilesRequest, options: { signal: AbortSignal }): Promise<CheckTilesReply> {
    return this.#serve<CheckTilesReply>({ name: 'checkTiles', request, transferList: [request.buffer], ...options })
  }

  /**
   * Looks for a GPU, and computes products on it from now on: `gpu` demands one, `auto` takes one that is faster.
   * @returns what products are computed on
   * @throws SwarmError DEVICE_MISSING
   */
  async chooseDevice(wish: 'auto' | 'gpu', options: { signal: AbortSignal }): Promise<Device> {
    const probe = await this.#run<GpuProbe>({ name: 'probeGpu', request: {}, transferList: [], ...options })
    if (wish === 'gpu' && !probe.works) {
      throw new SwarmError('DEVICE_MISSING', `there is no GPU that can be used: ${probe.reason}. Try --device cpu`, {
        exitCode: EXIT_CODES.usage
      })
    }
    if (probe.works && (wish === 'gpu' || probe.gpuMs < probe.cpuMs / this.threads)) this.#device = 'webgpu'
    return this.#device
  }

  /** When there is no work: threads let go of the shared memory that they were given. Never rejects. */
  async collectGarbage(): Promise<void> {
    const { signal } = new AbortController()
    const collecting = Array.from({ length: this.#pool.threads.length }, () => {
      return this.#run<object | undefined>({ name: 'collectGarbage', request: {}, transferList: [], signal })
    })
    // A pool that is being closed has nothing left to collect.
    await Promise.allSettled(collecting)
  }

  /** Refuses what waits, ends the threads. */
  async close(): Promise<void> {
    this.#serviceSlots.close(closed())
    this.#slots.close(closed())
    await this.#pool.destroy()
  }

  async #serve<Reply>(operation: Operation): Promise<Reply> {
    await this.#serviceSlots.acquire(operation.signal, operation)
    try {
      return await this.#run<Reply>(operation)
    } finally {
      this.#serviceSlots.release()
    }
  }

  async #run<Reply>(operation: Operation): Promise<Reply> {
    const { name, request, transferList, signal } = operation
    await this.#slots.acquire(signal, operation)
    // Piscina's own abort ends the thread, so it gets a signal that follows the caller's after the grace.
    const ending = new AbortController()
    const running = this.#pool
      .run(request, { name, transferList, signal: ending.signal })
      .finally(() => this.#slots.release()) as Promise<Reply | ThreadFailure>
    try {
      const reply = await abortable(running, signal, () => endAfterGrace(running, ending, this.#abortGraceMs))
      if (isFailure(reply)) {
        const { code, message, exitCode } = reply.failure
        throw new SwarmError(code, message, { exitCode })
      }
      return reply
    } catch (error) {
      if (error instanceof SwarmError || signal.aborted) throw error
      const reason = error instanceof Error ? error.message : String(error)
      throw new SwarmError('KERNEL_FAILED', `a kernel thread failed in ${name}: ${reason}`, { cause: error })
    }
  }
}

/** Settles like `running`, or rejects with the signal's reason as soon as it aborts; then calls `onAbort`. */
function abortable<Value>(running: Promise<Value>, signal: AbortSignal, onAbort: () => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => {
      onAbort()
      reject(signal.reason)
    }
    if (signal.aborted) return aborted()
    signal.addEventListener('abort', aborted, { once: true })
    running.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted))
  })
}

function endAfterGrace(running: Promise<unknown>, ending: AbortController, graceMs: number): void {
  const timer = setTimeout(() => ending.abort(), graceMs)
  const stop = (): void => clearTimeout(timer)
  running.then(stop, stop)
}

function isFailure<Reply>(reply: Reply | ThreadFailure): reply is ThreadFailure {
  return typeof reply === 'object' && reply !== null && 'failure' in reply
}

function closed(): SwarmError {
  return new SwarmError('COMPUTE_CLOSED', 'the compute threads are closed')
}
