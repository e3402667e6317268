import type { PeerId } from '@libp2p/interface'
import type { GrantOperand } from '../../protocols/lease/types.ts'
import type { OperandHandler, OperandRange } from '../../protocols/operand/types.ts'
import { RANGE_BYTES_MAX } from '../../protocols/wire/frame.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { toHex } from '../domain/bytes.ts'
import type { Clock } from '../domain/clock.ts'
import { SwarmError } from '../errors.ts'
import { type CachedBlock, OperandCache, type OperandCacheOptions } from './operand-cache.ts'
import { OperandFetcher, type OperandFetchPorts } from './operand-fetch.ts'
import { distinctBlocks, requestFor } from './operand-grant.ts'
import { type BlockTaker, type LoadOutcome, OperandLoads } from './operand-loads.ts'

/**
 * Longest wait of another peer for a block that is on its way here. It is told to ask again before it would take silence
 * for a stall (`OPERAND_STALL_MS`).
 */
export const OPERAND_WAIT_MS = 4_000
/** Ranges of such blocks that all other peers together may wait for. */
export const READS_WAITING_MAX = 1024

/** What {@link OperandStore} needs. */
export type OperandStorePorts = OperandFetchPorts & OperandCacheOptions

/** Bytes by where they came from. */
export interface MovedBytes {
  readonly submitterBytes: number
  readonly peerBytes: number
  /** Of blocks that were here, or were fetched for another lease. */
  readonly cacheBytes: number
}

/** A lease's blocks: they stay as they are until they are given back. */
export interface OperandLoan {
  /** In the order of the grant. */
  readonly blocks: readonly { readonly buffer: SharedArrayBuffer; readonly byteLength: number }[]
  /** Blocks that stand twice in the grant count once. */
  readonly moved: MovedBytes
  /** Gives all blocks back; may be called again. */
  release(): void
}

/** What this peer moved since it started. */
export interface OperandTotals extends MovedBytes {
  /** Handed to other peers. Received bytes count whether they were of use or not. */
  readonly servedBytes: number
}

/**
 * Owns the operand blocks of this worker: borrows them to leases, fetches those that are missing from other peers, and gives
 * them to others.
 *
 * What it gives to others are the blocks themselves: each stays until the puller has let it go or its stream has ended, so
 * that a stream may keep it by reference until it is sent.
 */
export class OperandStore implements OperandHandler {
  readonly #clock: Clock
  readonly #cache: OperandCache
  readonly #fetcher: OperandFetcher
  readonly #loads: OperandLoads
  readonly #totals = { servedBytes: 0, submitterBytes: 0, peerBytes: 0, cacheBytes: 0 }
  #turns = 0
  #readsWaiting = 0

  constructor(ports: OperandStorePorts) {
    this.#clock = ports.clock
    this.#cache = new OperandCache(ports)
    this.#fetcher = new OperandFetcher(ports)
    this.#loads = new OperandLoads(this.#cache, this.#fetcher, (byteLength, { isSubmitter }) => {
      this.#totals[isSubmitter ? 'submitterBytes' : 'peerBytes'] += byteLength
    })
  }

  get totals(): OperandTotals {
    return { ...this.#totals }
  }

  /** Bytes of all buffers; never above `bytesMax`. */
  get bytes(): number {
    return this.#cache.bytes
  }

  /**
   * Brings all blocks of a lease here and keeps them until they are given back. Waits for room if there is none.
   * @param options.onBytes gets the bytes that have come for this lease so far, which only rise
   * @throws SwarmError GRANT_TOO_LARGE, INPUT_MISMATCH, WORKER_STOPPED; WireError REFUSED (`inputUnavailable`); what the
   *   hash port threw; or the signal's reason
   */
  async acquire(
    grant: { jobId: string; operands: readonly GrantOperand[]; submitter: string },
    { signal, onBytes }: { signal: AbortSignal; onBytes?: (received: number) => void }
  ): Promise<OperandLoan> {
    const turn = this.#turns++
    const wanted = distinctBlocks(grant.operands)
    const request = { jobId: grant.jobId, blocks: [...wanted.values()] }
    const { blocks, missing } = await this.#cache.admit(request, { signal })
    const taker = new LeaseTaker(onBytes)
    const toLoad = new Set(missing)
    const release = once(() => {
      for (const block of blocks) this.#loads.leave(block, taker)
    })
    try {
      const loads = blocks.map((block) => {
        const { hash, sources } = requestFor(block, wanted, grant)
        if (toLoad.has(block)) return this.#loads.begin(block, { hash, turn, sources }, taker)
        return this.#loads.join(block, sources, taker) ?? taker.onMoved(block.byteLength, 'cache')
      })
      await allHere(loads, signal)
    } catch (error) {
      release()
      throw error
    }
    this.#totals.cacheBytes += taker.moved.cacheBytes
    const byKey = new Map(blocks.map((block) => [block.key, block]))
    const lent = grant.operands.flatMap(({ hash }) => byKey.get(toHex(hash)) ?? [])
    return { blocks: lent, moved: taker.moved, release }
  }

  /**
   * Gives a copy of a range. Waits for a block that is on its way here, {@link OPERAND_WAIT_MS} at most.
   * @throws WireError REFUSED with `inputUnavailable`, `rangeInvalid`, or `busy`: it is still on its way, or too many wait
   */
  async read(
    peerId: PeerId,
    range: OperandRange,
    { signal, held }: { signal: AbortSignal; held: AbortSignal }
  ): Promise<Uint8Array> {
    const block = this.#cache.find(toHex(range.hash))
    if (block === undefined) throw unavailable('no such block is here')
    checkRange(range, block)
    if (block.state !== 'here') await this.#untilHere(peerId, block, signal)
    // It may have gone again before this turn.
    if (held.aborted || !this.#cache.lend(block)) throw unavailable('the block did not come')
    held.addEventListener('abort', () => this.#cache.giveBack(block), { once: true })
    this.#totals.servedBytes += range.byteLength
    return new Uint8Array(block.buffer, range.offset, range.byteLength)
  }

  /** Drops the blocks that only this job has; those on loan when they are given back. */
  forgetJob(jobId: string): void {
    this.#cache.forgetJob(jobId)
    this.#fetcher.forgetJob(jobId)
  }

  /** When there is no work: leaves the memory that no block uses to the garbage collector. */
  trim(): void {
    this.#cache.trim()
  }

  /** Ends all that waits or fetches, with SwarmError WORKER_STOPPED. Resolves once nothing is written to any buffer. */
  async close(): Promise<void> {
    const reason = new SwarmError('WORKER_STOPPED', 'this peer is leaving the swarm')
    this.#cache.close(reason)
    await this.#loads.close(reason)
  }

  async #untilHere(peerId: PeerId, block: CachedBlock, signal: AbortSignal): Promise<void> {
    // Each would wait for the other.
    if (this.#loads.askedPeer(block) === peerId.toString())
      throw unavailable('this peer was asked for the block itself')
    if (this.#readsWaiting === READS_WAITING_MAX) {
      throw new WireError('REFUSED', `${READS_WAITING_MAX} ranges are waited for already`, {
        refusal: RefusalCode.busy
      })
    }
    const outcome = this.#loads.await(block)
    if (outcome === undefined) throw unavailable('the block is not here yet')
    const done = new AbortController()
    this.#readsWaiting += 1
    try {
      const patience = this.#clock.sleep(OPERAND_WAIT_MS, { signal: AbortSignal.any([signal, done.signal]) })
      await Promise.race([outcome, patience])
      if (block.state === 'loading') throw busy(`the block is still on its way after ${OPERAND_WAIT_MS} ms`)
    } finally {
      this.#readsWaiting -= 1
      done.abort()
    }
  }
}

/** What one lease is told about its blocks while they come. */
class LeaseTaker implements BlockTaker {
  readonly moved = { submitterBytes: 0, peerBytes: 0, cacheBytes: 0 }
  readonly #onBytes: ((received: number) => void) | undefined
  #receivedBytes = 0

  constructor(onBytes: ((received: number) => void) | undefined) {
    this.#onBytes = onBytes
  }

  onBytes(byteLength: number): void {
    this.#receivedBytes += byteLength
    this.#onBytes?.(this.#receivedBytes)
  }

  onMoved(byteLength: number, from: 'submitter' | 'peer' | 'cache'): undefined {
    this.moved[`${from}Bytes`] += byteLength
  }
}

/** Waits for all, or for the first that fails. */
async function allHere(loads: readonly (Promise<LoadOutcome> | undefined)[], signal: AbortSignal): Promise<void> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  if (signal.aborted) abort()
  const here = loads.map(async (load) => {
    const outcome = await load
    if (outcome?.isHere === false) throw outcome.error
  })
  try {
    await Promise.race([aborted, Promise.all(here)])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

function checkRange({ offset, byteLength }: OperandRange, block: CachedBlock): void {
  const isWhole = Number.isSafeInteger(offset) && Number.isSafeInteger(byteLength)
  const isInside = offset >= 0 && byteLength >= 1 && offset + byteLength <= block.byteLength
  if (isWhole && isInside && byteLength <= RANGE_BYTES_MAX) return
  const message = `${offset}+${byteLength} is no range of a block of ${block.byteLength} bytes`
  throw new WireError('REFUSED', message, { refusal: RefusalCode.rangeInvalid })
}

function unavailable(message: string): WireError {
  return new WireError('REFUSED', message, { refusal: RefusalCode.inputUnavailable })
}

function busy(message: string): WireError {
  return new WireError('REFUSED', message, { refusal: RefusalCode.busy })
}

function once(action: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    action()
  }
}
