import type { Connection, PeerId } from '@libp2p/interface'
import type { FeedHead, LedgerHandler, LedgerService } from '../../protocols/ledger/types.ts'
import { type Clock, sleepOrAbort } from '../domain/clock.ts'
import type { FeedRange } from '../domain/feed.ts'
import type { IngestResult } from '../store/feed-ingest.ts'
import type { ForkProof } from '../store/feed-table.ts'
import type { LedgerStore } from '../store/ledger-store.ts'

/** How long receipts and heads are gathered before they are written or told, in ms; longer while this peer computes. */
const GATHER_MS = 1_000
const GATHER_BUSY_MS = 10_000
/** Longest time for one exchange with a peer, in ms. */
const EXCHANGE_MS = 60_000
/** Entries that are pulled before they are checked and written. */
const PULLED_ENTRIES_MAX = 64
/** How long this peer's own entries wait for exchanges that are under way, which may tell more of its own feed, in ms. */
const OWN_FEED_WAIT_MS = 3_000
/** How often heads are told again, since gossip forgets, in ms. */
const HEADS_AGAIN_MS = 10_000

/** Heads that one peer may have told while it is pulled from; what is beyond comes with its next heads. */
const TOLD_HEADS_MAX = 1_024

/** While this peer computes, what others tell is pulled this late at most, in ms: checking signatures takes a core. */
const PULL_DEFERRED_MAX_MS = 60_000
/** How often is looked whether the work is over; it is when it was not there twice, in ms. */
const QUIET_LOOK_MS = 250

/** Longest wait for a peer to fetch the rest of this peer's feed before this peer leaves, and how often it is asked. */
const HAND_OVER_MS = 500
const HAND_OVER_LOOK_MS = 20

/** What the keeper needs to reach peers. */
export interface LedgerKeeperPorts {
  readonly service: LedgerService
  readonly store: LedgerStore
  readonly clock: Clock
  /** The open control connection to a peer. */
  connectionTo(peerId: PeerId): Connection | undefined
  /** Open control connections, one a member. */
  connections(): readonly Connection[]
  /** Whether this peer runs a job or holds leases now. */
  isBusy(): boolean
  onTrouble(message: string): void
}

/**
 * Keeps the ledger in step with the swarm: writes what waits into this peer's feed, tells heads, and pulls what others
 * have more. Owns the gathering and at most one exchange per peer.
 */
export class LedgerKeeper implements LedgerHandler {
  readonly #ports: LedgerKeeperPorts
  readonly #stopped = new AbortController()
  readonly #exchanging = new Map<string, Promise<void>>()
  /** Peers that are pulled from because they told heads, each with the heads that it told meanwhile, by author. */
  readonly #told = new Map<string, Map<string, FeedHead>>()
  readonly #background = new Set<Promise<void>>()
  /** Peers with which the last exchange failed. */
  readonly #unexchanged = new Set<string>()
  #gathering = false
  readonly #newHeads = new Map<string, FeedHead>()
  /** The last pull of each author's feed that is under way: all peers tell of it, one is enough. */
  readonly #pullOf = new Map<string, Promise<void>>()

  constructor(ports: LedgerKeeperPorts) {
    this.#ports = ports
  }

  start(): void {
    const { service, store } = this.#ports
    service.setHandler(this)
    store.setListener({
      onHeads: (heads) => {
        for (const head of heads) this.#newHeads.set(head.author, head)
        this.#gather()
      },
      onForkProof: (proof) => this.#do(async () => void (await service.publishForkProof(proof))),
      onWaiting: () => this.#gather()
    })
    this.#do(() => this.#tellAgain())
    this.#gather()
  }

  /** Writes what still waits, tells the peers, and ends. */
  async stop(): Promise<void> {
    const { service, store } = this.#ports
    const { signal } = new AbortController()
    try {
      await store.appendWaiting({ signal })
      await this.#tellHeads()
      await Promise.allSettled(this.#ports.connections().map((connection) => this.#handOver(connection)))
    } finally {
      this.#stopped.abort()
      store.setListener(undefined)
      service.setHandler(undefined)
      await Promise.allSettled([...this.#background, ...this.#exchanging.values()])
    }
  }

  /** A member connected: both sides learn what the other has. */
  onConnection(connection: Connection): void {
    this.#exchange(connection)
  }

  heads(): readonly FeedHead[] {
    return this.#ports.store.heads()
  }

  entries(author: string, from: number, limit: number): readonly Uint8Array[] {
    return this.#ports.store.entries(author, from, limit)
  }

  forkProofs(): readonly ForkProof[] {
    return this.#ports.store.forkProofs()
  }

  onHeads(heads: readonly FeedHead[], from: PeerId): void {
    if (this.#ports.store.missing(heads).length === 0) return
    const connection = this.#ports.connectionTo(from)
    if (connection !== undefined) this.#pullTold(connection, heads)
  }

  onForkProof(proof: ForkProof, from: PeerId): void {
    this.#do(async () => {
      const kept = await this.#ports.store.ingestForkProof(proof)
      if (typeof kept !== 'boolean') {
        this.#ports.onTrouble(`peer ${from.toString()} sent a fork proof that proves nothing: ${kept.reason}`)
      }
    })
  }

  /** Waits until the peer has all of this peer's feed, which is lost to the others while this peer is away. */
  async #handOver(connection: Connection): Promise<void> {
    const { service, store, clock } = this.#ports
    const own = store.heads().find(({ author }) => author === store.self)
    if (own === undefined) return
    const signal = AbortSignal.timeout(HAND_OVER_MS)
    for (;;) {
      const theirs = await service.exchange(connection, { signal })
      if (theirs.some(({ author, sequence }) => author === own.author && sequence >= own.sequence)) return
      await clock.sleep(HAND_OVER_LOOK_MS, { signal })
    }
  }

  #exchange(connection: Connection): void {
    const peerId = connection.remotePeer.toString()
    if (this.#exchanging.has(peerId) || this.#stopped.signal.aborted) return
    const exchange = this.#exchangeWith(connection)
      .then(
        () => void this.#unexchanged.delete(peerId),
        (error) => {
          this.#unexchanged.add(peerId)
          this.#trouble(`ledger exchange with peer ${peerId} failed; it is tried again`, error)
        }
      )
      .finally(() => this.#exchanging.delete(peerId))
    this.#exchanging.set(peerId, exchange)
  }

  async #exchangeWith(connection: Connection): Promise<void> {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(EXCHANGE_MS)])
    const heads = await this.#ports.service.exchange(connection, { signal })
    await this.#pullMissing(connection, heads)
  }

  /** One pull from a peer at a time; what it tells meanwhile comes next. */
  #pullTold(connection: Connection, heads: readonly FeedHead[]): void {
    const peerId = connection.remotePeer.toString()
    const meanwhile = this.#told.get(peerId)
    if (meanwhile !== undefined) {
      if (meanwhile.size < TOLD_HEADS_MAX) for (const head of heads) meanwhile.set(head.author, head)
      return
    }
    const told = new Map<string, FeedHead>()
    this.#told.set(peerId, told)
    this.#do(async () => {
      try {
        for (let next = heads; next.length > 0; ) {
          await this.#whenQuiet(PULL_DEFERRED_MAX_MS)
          const newest = new Map([...next, ...told.values()].map((head) => [head.author, head]))
          told.clear()
          await this.#pullMissing(connection, [...newest.values()])
          next = [...told.values()]
        }
      } finally {
        this.#told.delete(peerId)
      }
    })
  }

  /** Work goes first; but a peer that is never idle keeps its ledger too. */
  async #whenQuiet(waitMs: number): Promise<void> {
    const { clock, isBusy } = this.#ports
    const { signal } = this.#stopped
    const endMs = clock.nowMs() + waitMs
    for (let quiet = isBusy() ? 0 : 2; quiet < 2 && clock.nowMs() < endMs; quiet = isBusy() ? 0 : quiet + 1) {
      await clock.sleep(QUIET_LOOK_MS, { signal })
    }
  }

  async #pullMissing(connection: Connection, heads: readonly FeedHead[]): Promise<void> {
    for (const head of heads) {
      const before = this.#pullOf.get(head.author)
      const pull = (async () => {
        // How it ended is its caller's to tell.
        if (before !== undefined) await Promise.allSettled([before])
        await this.#pullHead(connection, head)
      })()
      this.#pullOf.set(head.author, pull)
      await pull.finally(() => {
        if (this.#pullOf.get(head.author) === pull) this.#pullOf.delete(head.author)
      })
    }
  }

  async #pullHead(connection: Connection, head: FeedHead): Promise<void> {
    for (const range of this.#ports.store.missing([head])) {
      const need = await this.#pullRange(connection, range)
      if (need === undefined) continue
      // Its entries hang together otherwise than ours: with the earlier ones the store finds out who forked.
      await this.#pullRange(connection, need)
      await this.#pullRange(connection, range)
    }
  }

  /** Pulls and checks entries, a bounded number at a time. @returns what to pull before, when entries are missing between */
  async #pullRange(connection: Connection, range: FeedRange): Promise<FeedRange | undefined> {
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(EXCHANGE_MS)])
    const peerId = connection.remotePeer.toString()
    let batch: Uint8Array[] = []
    const ingest = async (): Promise<IngestResult['refusal']> => {
      const { refusal } = await this.#ports.store.ingest(batch, { signal })
      batch = []
      return refusal
    }
    let refusal: IngestResult['refusal']
    for await (const entry of this.#ports.service.pull(connection, range, { signal })) {
      batch.push(entry)
      if (batch.length >= PULLED_ENTRIES_MAX) refusal = await ingest()
      if (refusal !== undefined) break
    }
    if (batch.length > 0) refusal ??= await ingest()
    if (refusal === undefined || refusal.need !== undefined) return refusal?.need
    this.#ports.onTrouble(`an entry of ${range.author} from peer ${peerId} was refused: ${refusal.reason}`)
    return undefined
  }

  /** Writes and tells soon, once for all that comes meanwhile. */
  #gather(): void {
    if (this.#gathering || this.#stopped.signal.aborted) return
    this.#gathering = true
    this.#do(async () => {
      await this.#gathered().catch(() => undefined)
      this.#gathering = false
      if (this.#stopped.signal.aborted) return
      // A restored backup must hear of its own newer entries before it writes others in their place.
      await this.#exchangesUnderWay()
      await this.#ports.store.appendWaiting({ signal: this.#stopped.signal })
      await this.#tellHeads()
    })
  }

  async #gathered(): Promise<void> {
    await this.#ports.clock.sleep(GATHER_MS, { signal: this.#stopped.signal })
    await this.#whenQuiet(GATHER_BUSY_MS - GATHER_MS)
  }

  async #exchangesUnderWay(): Promise<void> {
    if (this.#exchanging.size === 0) return
    const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(OWN_FEED_WAIT_MS)])
    const patience = sleepOrAbort(this.#ports.clock, OWN_FEED_WAIT_MS, signal)
    await Promise.race([Promise.allSettled(this.#exchanging.values()), patience])
  }

  /** Of others only what they cannot tell themselves: each told head is checked by every member. */
  async #tellHeads(): Promise<void> {
    const connected = new Set(this.#ports.connections().map(({ remotePeer }) => remotePeer.toString()))
    const heads = [...this.#newHeads.values()].filter(({ author }) => !connected.has(author))
    this.#newHeads.clear()
    if (heads.length > 0) await this.#ports.service.publishHeads(heads)
  }

  /** A connection that lives is asked again for what it did not tell. */
  #retryExchanges(): void {
    const connected = this.#ports.connections()
    const peerIds = new Set(connected.map(({ remotePeer }) => remotePeer.toString()))
    for (const peerId of this.#unexchanged) if (!peerIds.has(peerId)) this.#unexchanged.delete(peerId)
    for (const connection of connected) {
      if (this.#unexchanged.has(connection.remotePeer.toString())) this.#exchange(connection)
    }
  }

  async #tellAgain(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      await sleepOrAbort(this.#ports.clock, HEADS_AGAIN_MS, signal)
      this.#retryExchanges()
      const own = this.heads().filter(({ author }) => author === this.#ports.store.self)
      if (signal.aborted || own.length === 0) continue
      await this.#ports.service.publishHeads(own).catch((error) => this.#trouble('heads could not be told', error))
    }
  }

  #do(work: () => Promise<void>): void {
    const running = work()
      .catch((error) => this.#trouble('the ledger could not be kept in step', error))
      .finally(() => this.#background.delete(running))
    this.#background.add(running)
  }

  #trouble(what: string, error: unknown): void {
    if (this.#stopped.signal.aborted) return
    this.#ports.onTrouble(`${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
