import type { OperandClient } from '../../protocols/operand/types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { sameBytes } from '../domain/bytes.ts'
import type { Clock } from '../domain/clock.ts'
import type { ComputePool } from '../domain/compute.ts'
import { SwarmError } from '../errors.ts'
import { BlockFetch, type FetchRequest, type OperandSource } from './operand-block-fetch.ts'
import { OperandPeers } from './operand-peers.ts'
import { StallWatch } from './operand-stall-watch.ts'

/** Blocks that one worker fetches at once. */
export const FETCHES_MAX = 8
/** Blocks that one worker fetches from one peer at once. */
export const FETCHES_PER_PEER_MAX = 2

/** A peer gave bytes that are not what their hash names. */
export interface OperandRefused {
  readonly event: 'operand-refused'
  readonly jobId: string
  readonly peerId: string
  readonly reason: string
}

/** What {@link OperandFetcher} needs. */
export interface OperandFetchPorts {
  /** This peer: never asked. */
  readonly selfPeerId: string
  readonly clock: Clock
  /** Gives the link to a peer, opened if need be. The port owns it: the same may be given for several fetches. */
  open(peerId: string, options: { signal: AbortSignal }): Promise<OperandClient>
  /** Blocks that are fetched at once; {@link FETCHES_MAX} unless given. Each has megabytes on their way. */
  readonly fetchesMax?: number | undefined
  /** Hashes shared memory off the main thread. */
  readonly hash: ComputePool['hashShared']
  onEvent(event: OperandRefused): void
}

/**
 * Owns the blocks that are on their way here. Leases in the order in which they came; within a lease the block with the
 * fewest holders first, and among equals each worker in an order of its own, so that workers with the same wants begin with
 * different blocks and can give them to each other.
 */
export class OperandFetcher {
  readonly #ports: OperandFetchPorts
  readonly #peers: OperandPeers
  readonly #fetchesMax: number
  /** A holder may still wait for the block itself, so some of what is fetched at once is always for who has it. */
  readonly #fromHoldersMax: number
  readonly #queue = new Set<BlockFetch>()
  #runningCount = 0
  #fromHoldersCount = 0

  constructor(ports: OperandFetchPorts) {
    this.#ports = ports
    this.#fetchesMax = ports.fetchesMax ?? FETCHES_MAX
    this.#fromHoldersMax = this.#fetchesMax - Math.min(FETCHES_PER_PEER_MAX, this.#fetchesMax >> 1)
    this.#peers = new OperandPeers(ports.clock)
  }

  /**
   * Fetches one block, as soon as it is its turn. Its `outcome` is who gave it, or rejects with WireError REFUSED
   * (`inputUnavailable`: no source gave it), SwarmError INPUT_MISMATCH (the submitter gave false bytes), what `hash` threw,
   * or the signal's reason. Once it has settled nothing writes to the buffer.
   */
  fetch(request: FetchRequest): BlockFetch {
    const fetch = new BlockFetch(request, this.#ports.selfPeerId)
    const abort = (): void => {
      if (this.#queue.delete(fetch)) fetch.fail(request.signal.reason)
    }
    request.signal.addEventListener('abort', abort, { once: true })
    this.#queue.add(fetch)
    if (request.signal.aborted) abort()
    // In the next microtask, so that all blocks of a lease are there when the first is chosen.
    queueMicrotask(() => this.#pump())
    return fetch
  }

  /** Liars are asked again if the job comes back. */
  forgetJob(jobId: string): void {
    this.#peers.forgetJob(jobId)
  }

  #pump(): void {
    if (this.#queue.size === 0) return
    for (const fetch of [...this.#queue].sort((left, right) => left.compare(right))) {
      if (this.#runningCount >= this.#fetchesMax) return
      const sources = this.#bestOf(fetch.sourcesLeft)
      const source = sources.find((one) => this.#mayAsk(one))
      if (sources.length > 0 && source === undefined) continue
      this.#queue.delete(fetch)
      if (source === undefined) fetch.fail(unavailable(fetch))
      else void this.#run(fetch, source)
    }
  }

  #mayAsk({ isSubmitter, peerId }: OperandSource): boolean {
    if (!isSubmitter && this.#fromHoldersCount >= this.#fromHoldersMax) return false
    return this.#peers.fetchingFrom(peerId) < FETCHES_PER_PEER_MAX
  }

  /** Holders, then submitters, then those who failed lately: a busy holder is waited for, not passed over. */
  #bestOf(sources: readonly OperandSource[]): readonly OperandSource[] {
    const trusted = sources.filter(({ jobId, peerId }) => !this.#peers.isRefused(jobId, peerId))
    const sound = trusted.filter(({ peerId }) => !this.#peers.isBehind(peerId))
    const holders = sound.filter(({ isSubmitter }) => !isSubmitter)
    return [holders, sound, trusted].find(({ length }) => length > 0) ?? []
  }

  /** Asks one source. Never rejects. */
  async #run(fetch: BlockFetch, source: OperandSource): Promise<void> {
    this.#runningCount += 1
    if (!source.isSubmitter) this.#fromHoldersCount += 1
    this.#peers.begin(source.peerId)
    fetch.begin(source)
    try {
      if (await this.#ask(fetch, source)) fetch.succeed(source)
      else if (fetch.request.signal.aborted) fetch.fail(fetch.request.signal.reason)
      else this.#queue.add(fetch)
    } catch (error) {
      fetch.fail(error)
    } finally {
      fetch.end()
      this.#runningCount -= 1
      if (!source.isSubmitter) this.#fromHoldersCount -= 1
      this.#peers.end(source.peerId)
      this.#pump()
    }
  }

  /** @returns false when another source is to be asked. @throws what ends the fetch */
  async #ask(fetch: BlockFetch, source: OperandSource): Promise<boolean> {
    const { hash, buffer, byteLength, signal } = fetch.request
    try {
      await this.#pull(fetch, source)
    } catch (error) {
      signal.throwIfAborted()
      fetch.lastError = error
      const refusal = error instanceof WireError ? error.refusal : undefined
      if (refusal === RefusalCode.busy) fetch.askAgain(source)
      // Blocks come and go at a holder: that one is not there says nothing about the others.
      else if (refusal !== RefusalCode.inputUnavailable) this.#peers.putBehind(source.peerId)
      return false
    }
    const found = await this.#ports.hash({ buffer, byteLength }, { signal })
    signal.throwIfAborted()
    if (sameBytes(found, hash)) return true
    this.#onLie(fetch, source)
    return false
  }

  async #pull(fetch: BlockFetch, source: OperandSource): Promise<void> {
    const { hash, buffer, byteLength, onBytes } = fetch.request
    const watch = new StallWatch(this.#ports.clock, source.peerId)
    const signal = AbortSignal.any([fetch.request.signal, watch.signal])
    try {
      const client = await this.#open(source.peerId, signal)
      let receivedBytes = 0
      await client.pull(hash, new Uint8Array(buffer, 0, byteLength), {
        signal,
        onBytes: (received) => {
          watch.onSign()
          onBytes(received - receivedBytes, source)
          receivedBytes = received
        }
      })
    } finally {
      watch.stop()
    }
  }

  /** That there is no link says nothing about a block, whatever the code. */
  async #open(peerId: string, signal: AbortSignal): Promise<OperandClient> {
    try {
      return await this.#ports.open(peerId, { signal })
    } catch (error) {
      throw new WireError('STREAM_ENDED', `there is no link to ${peerId} for operand blocks`, { cause: error })
    }
  }

  #onLie(fetch: BlockFetch, source: OperandSource): void {
    const { jobId, peerId, isSubmitter } = source
    const reason = `the ${fetch.request.byteLength} bytes of block ${shortHash(fetch)} have another hash than was asked for`
    this.#peers.refuse(jobId, peerId)
    this.#ports.onEvent({ event: 'operand-refused', jobId, peerId, reason })
    fetch.lastError = new WireError('REFUSED', reason, { refusal: RefusalCode.hashMismatch })
    if (!isSubmitter || fetch.sourcesLeft.some((left) => left.isSubmitter)) return
    throw new SwarmError('INPUT_MISMATCH', `the submitter ${peerId} gave false bytes: ${reason}`)
  }
}

function unavailable(fetch: BlockFetch): WireError {
  const message = `block ${shortHash(fetch)} came from none of the ${fetch.askedCount} peers that were asked`
  return new WireError('REFUSED', message, { refusal: RefusalCode.inputUnavailable, cause: fetch.lastError })
}

function shortHash({ request }: BlockFetch): string {
  return Buffer.from(request.hash).toString('hex', 0, 4)
}
