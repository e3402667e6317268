import type { Connection } from '@libp2p/interface'
import type { LeaseClientHandler, WorkerHello } from '../../protocols/lease/types.ts'
import type { HeldResults } from './held-results.ts'
import { LeaseKeeper } from './lease-keeper.ts'
import type { WorkerPorts } from './ports.ts'
import { openSubmitterLink, type SubmitterLink } from './submitter-link.ts'

/** Longest wait for the streams of a link. */
const LINK_OPEN_MS = 10_000
/** Wait before a link that failed is tried again; doubles up to the maximum. */
const LINK_BACKOFF_MS = 250
const LINK_BACKOFF_MAX_MS = 10_000

/** An open link with the keeper of its leases. */
export interface ReadySession {
  readonly link: SubmitterLink
  readonly keeper: LeaseKeeper
}

/** What a session tells the worker. */
export interface SessionListener {
  /** The link is open: claims may be made. */
  onReady(): void
  onLost(reason: string): void
  onWake(jobId: string): void
}

/** Owns the link to one submitter: opens it, keeps its leases alive, and opens it again with back-off while wanted. */
export class SubmitterSession {
  readonly submitter: string
  readonly #ports: WorkerPorts
  readonly #held: HeldResults
  readonly #listener: SessionListener
  #ready: ReadySession | undefined
  #opening = false
  #failures = 0
  #retryAtMs = 0

  constructor(submitter: string, held: HeldResults, ports: WorkerPorts, listener: SessionListener) {
    this.submitter = submitter
    this.#held = held
    this.#ports = ports
    this.#listener = listener
  }

  /** The open link, or undefined while there is none. */
  get ready(): ReadySession | undefined {
    return this.#ready
  }

  /** When a failed link may be tried again, by the clock. */
  get retryAtMs(): number {
    return this.#retryAtMs
  }

  /** A new connection: what failed on the one before tells nothing about it. */
  forgive(): void {
    this.#failures = 0
    this.#retryAtMs = 0
  }

  /** Opens the link unless it is open, opening, or backing off; runs it until it ends. Never rejects. */
  async run(connection: Connection, { signal }: { signal: AbortSignal }): Promise<void> {
    if (this.#ready !== undefined || this.#opening || this.#ports.clock.nowMs() < this.#retryAtMs) return
    this.#opening = true
    try {
      const link = await this.#open(connection, signal)
      this.#opening = false
      this.#failures = 0
      await this.#keep(link, signal)
    } catch (error) {
      if (signal.aborted) return
      this.#backOff()
      this.#listener.onLost(error instanceof Error ? error.message : String(error))
    } finally {
      this.#opening = false
    }
  }

  async #open(connection: Connection, signal: AbortSignal): Promise<SubmitterLink> {
    const hello: WorkerHello = {
      name: this.#ports.name,
      threads: this.#ports.compute.threads,
      kernelIds: this.#ports.kernelIds,
      memoryBytes: this.#ports.memoryBytes,
      held: this.#held.list(this.submitter, this.#ports.clock.nowMs())
    }
    const handler: LeaseClientHandler = {
      onRevoked: (leaseNumbers, reason) => this.#ready?.keeper.revoke(leaseNumbers, reason),
      onWake: (jobId) => this.#listener.onWake(jobId)
    }
    const patience = AbortSignal.any([signal, AbortSignal.timeout(LINK_OPEN_MS)])
    return openSubmitterLink(connection, hello, handler, this.#ports, { signal: patience })
  }

  /** Heartbeats until the link ends. Rejects with why it ended. */
  async #keep(link: SubmitterLink, signal: AbortSignal): Promise<never> {
    const keeper = new LeaseKeeper(link.lease, this.#ports.clock)
    this.#ready = { link, keeper }
    try {
      this.#listener.onReady()
      return await keeper.run({ signal: AbortSignal.any([signal, link.signal]) })
    } finally {
      this.#ready = undefined
      keeper.releaseAll('shutdown')
      await link.close()
    }
  }

  #backOff(): void {
    const delayMs = Math.min(LINK_BACKOFF_MAX_MS, LINK_BACKOFF_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#retryAtMs = this.#ports.clock.nowMs() + delayMs
  }
}
