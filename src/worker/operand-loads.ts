import { SwarmError } from '../errors.ts'
import type { BlockFetch, FetchRequest, OperandSource } from './operand-block-fetch.ts'
import type { CachedBlock, OperandCache } from './operand-cache.ts'
import type { OperandFetcher } from './operand-fetch.ts'

/** A lease that waits for a block, told what comes for it. */
export interface BlockTaker {
  /** Bytes that have just come. */
  onBytes(byteLength: number): void
  /** A block that came is put down to the lease that has waited for it longest; to others it was here already. */
  onMoved(byteLength: number, from: 'submitter' | 'peer' | 'cache'): void
}

/** How loading a block ended. */
export type LoadOutcome = { readonly isHere: true } | { readonly isHere: false; readonly error: unknown }

interface Load {
  readonly block: CachedBlock
  readonly fetch: BlockFetch
  readonly takers: Set<BlockTaker>
  readonly cancelled: AbortController
  readonly outcome: Promise<LoadOutcome>
}

/**
 * Owns the blocks of the cache that are being loaded: one fetch for all leases that wait for a block. It ends when none of
 * them does any more, and the block's memory is free again once nothing can write to it.
 */
export class OperandLoads {
  readonly #cache: OperandCache
  readonly #fetcher: OperandFetcher
  readonly #loads = new Map<CachedBlock, Load>()
  #closedBy: Error | undefined
  readonly #onReceived: (byteLength: number, source: OperandSource) => void

  /** @param onReceived told of all bytes that come, useful or not */
  constructor(
    cache: OperandCache,
    fetcher: OperandFetcher,
    onReceived: (byteLength: number, source: OperandSource) => void
  ) {
    this.#cache = cache
    this.#fetcher = fetcher
    this.#onReceived = onReceived
  }

  /** Begins to load a block, for one taker so far. */
  begin(
    block: CachedBlock,
    request: Pick<FetchRequest, 'hash' | 'turn' | 'sources'>,
    taker: BlockTaker
  ): Promise<LoadOutcome> {
    const cancelled = new AbortController()
    const takers = new Set([taker])
    if (this.#closedBy !== undefined) cancelled.abort(this.#closedBy)
    const { buffer, byteLength } = block
    const onBytes = (received: number, source: OperandSource): void => {
      this.#onReceived(received, source)
      for (const waiting of takers) waiting.onBytes(received)
    }
    const fetch = this.#fetcher.fetch({ ...request, buffer, byteLength, signal: cancelled.signal, onBytes })
    const outcome = this.#finish(block, fetch, takers)
    this.#loads.set(block, { block, fetch, takers, cancelled, outcome })
    return outcome
  }

  /** Another lease waits for a block that is being loaded. @returns undefined when it is not */
  join(block: CachedBlock, sources: readonly OperandSource[], taker: BlockTaker): Promise<LoadOutcome> | undefined {
    const load = this.#loads.get(block)
    load?.fetch.addSources(sources)
    load?.takers.add(taker)
    return load?.outcome
  }

  /** A lease gives a block back, loaded or not. */
  leave(block: CachedBlock, taker: BlockTaker): void {
    const load = this.#loads.get(block)
    load?.takers.delete(taker)
    const borrowers = this.#cache.giveBack(block)
    if (borrowers > 0) return
    if (load !== undefined) {
      this.#cancel(load, new SwarmError('OPERAND_UNWANTED', 'no lease waits for this block any more'))
    } else if (block.state === 'loading') {
      this.#cache.abandon(block)
      this.#cache.reclaim(block)
    }
  }

  /** Who is asked for a block that is being loaded. @returns undefined when nobody is */
  askedPeer(block: CachedBlock): string | undefined {
    return this.#loads.get(block)?.fetch.asking?.peerId
  }

  /** Another peer waits for a block that is being loaded, so it goes first. @returns undefined when it is not */
  await(block: CachedBlock): Promise<LoadOutcome> | undefined {
    const load = this.#loads.get(block)
    if (load !== undefined) load.fetch.isAwaited = true
    return load?.outcome
  }

  /** Ends all loads. Resolves once nothing writes to any buffer. */
  async close(reason: Error): Promise<void> {
    this.#closedBy = reason
    const loads = [...this.#loads.values()]
    for (const load of loads) this.#cancel(load, reason)
    await Promise.all(loads.map(({ outcome }) => outcome))
  }

  #cancel({ block, cancelled }: Load, reason: Error): void {
    this.#cache.abandon(block)
    cancelled.abort(reason)
  }

  async #finish(block: CachedBlock, fetch: BlockFetch, takers: ReadonlySet<BlockTaker>): Promise<LoadOutcome> {
    let outcome: LoadOutcome = { isHere: true }
    try {
      const { isSubmitter } = await fetch.outcome
      const [first, ...others] = takers
      first?.onMoved(block.byteLength, isSubmitter ? 'submitter' : 'peer')
      for (const other of others) other.onMoved(block.byteLength, 'cache')
    } catch (error) {
      this.#cache.abandon(block)
      outcome = { isHere: false, error }
    }
    this.#loads.delete(block)
    if (block.state === 'loading') this.#cache.loaded(block)
    else this.#cache.reclaim(block)
    return outcome
  }
}
