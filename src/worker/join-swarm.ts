import type { Connection } from '@libp2p/interface'
import type { Advert, ReceivedAdvert } from '../../protocols/advert/types.ts'
import { LEASE_TTL_FIRST_MS } from '../../protocols/lease/constants.ts'
import type { OperandChanges, ReleaseReason } from '../../protocols/lease/types.ts'
import type { OperandHandler } from '../../protocols/operand/types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { sleepOrAbort } from '../domain/clock.ts'
import { SwarmError } from '../errors.ts'
import { HeldResults } from './held-results.ts'
import type { LiveLease } from './lease-keeper.ts'
import { OpenJobs } from './open-jobs.ts'
import { OperandStore } from './operand-store.ts'
import type { WorkerPorts } from './ports.ts'
import { runLease } from './run-lease.ts'
import { type ReadySession, SubmitterSession } from './submitter-session.ts'

/** Leases held beyond the number of kernel threads, so that transfer overlaps compute. */
export const LEASES_AHEAD = 2
/** Leases held of a job with small chunks, whose round trips would otherwise leave the threads idle. */
export const LEASES_SMALL_MAX = 16
/** …as long as they take no more than this, in bytes. */
export const LEASES_SMALL_BYTES = 4 * 1024 * 1024
/** Operand blocks fetched at once where memory was limited. */
const TIGHT_FETCHES_MAX = 2
/** How long changes of what this worker holds are gathered, in ms. */
const OPERANDS_TOLD_MS = 30
/** Longest wait for the adverts of a connection. */
const ADVERT_PULL_MS = 10_000
/** When adverts that could not be pulled are asked for again, in ms. */
const ADVERT_RETRY_MS = 2_000
/** How often links are opened and claims made again when nothing else prompts it. */
const TICK_MS = 500
/** Longest wait for the answer to a claim, which holds all free slots: grants that come later are over already. */
const CLAIM_MS = LEASE_TTL_FIRST_MS
/** When a submitter whose claim failed is asked again, so that a silent one does not keep the slots from others. */
const CLAIM_FAILED_RETRY_MS = 10_000

/**
 * Owns what this peer does for others: the open jobs it knows, one session per submitter, and its lease slots. Driven by
 * adverts, connections, finished leases, and a slow tick that makes up for any prompt that was lost.
 */
export class Worker {
  readonly #ports: WorkerPorts
  readonly #jobs: OpenJobs
  readonly #sessions = new Map<string, SubmitterSession>()
  readonly #connections = new Map<string, Connection>()
  /** Peers whose adverts could not be pulled, and when to try again. */
  readonly #unpulled = new Map<string, number>()
  /** Peers whose adverts are being pulled. */
  readonly #pulling = new Set<string>()
  readonly #held = new HeldResults()
  readonly #operands: OperandStore
  readonly #stopped = new AbortController()
  readonly #running = new Set<Promise<void>>()
  #usedSlots = 0

  constructor(ports: WorkerPorts) {
    this.#ports = ports
    this.#jobs = new OpenJobs(ports)
    this.#operands = new OperandStore({
      selfPeerId: ports.peerId.toString(),
      clock: ports.clock,
      bytesMax: ports.operandBytesMax,
      open: (peerId, options) => ports.openOperands(peerId, options),
      hash: (request, options) => ports.compute.hashShared(request, options),
      collect: ports.collectGarbage,
      fetchesMax: ports.isTight ? TIGHT_FETCHES_MAX : undefined,
      onEvent: (event) => ports.onEvent(event),
      onChanges: (changes) => this.#tellOperands(changes),
      tellLater: (tell) => this.#track(this.#tellLater(tell))
    })
  }

  /** Gives operand blocks to other workers. */
  get operands(): OperandHandler & Pick<OperandStore, 'totals' | 'trim'> {
    return this.#operands
  }

  /** Leases that this worker holds now. */
  get leaseCount(): number {
    return this.#usedSlots
  }

  /** Takes part from now on, until {@link Worker.stop}. */
  start(): void {
    this.#ports.advert.setListener((received) => this.#onAdvert(received))
    this.#track(this.#tick())
  }

  /** A connection to a member opened: its adverts are pulled, since gossip may have lost them. */
  onConnection(connection: Connection): void {
    const peerId = connection.remotePeer.toString()
    this.#connections.set(peerId, connection)
    this.#sessions.get(peerId)?.forgive()
    this.#track(this.#pullAdverts(connection))
  }

  /** The last connection to a peer closed. */
  onDisconnected(peerId: string): void {
    this.#connections.delete(peerId)
    this.#unpulled.delete(peerId)
    this.#jobs.forgetSubmitter(peerId)
  }

  /** Gives all leases back and ends. */
  async stop(): Promise<void> {
    for (const session of this.#sessions.values()) session.ready?.keeper.releaseAll('shutdown')
    this.#stopped.abort(new SwarmError('WORKER_STOPPED', 'this peer is leaving the swarm'))
    await this.#operands.close()
    // What ends may begin something more, such as the release of a lease that was just granted.
    while (this.#running.size > 0) await Promise.allSettled(this.#running)
  }

  #track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
  }

  async #tick(): Promise<void> {
    const { signal } = this.#stopped
    while (!signal.aborted) {
      this.#retryPulls()
      this.#pump()
      await sleepOrAbort(this.#ports.clock, TICK_MS, signal)
    }
  }

  /** A connection that lives is asked again for the adverts that it did not give. */
  #retryPulls(): void {
    const nowMs = this.#ports.clock.nowMs()
    for (const [peerId, retryAtMs] of this.#unpulled) {
      if (nowMs < retryAtMs) continue
      this.#unpulled.delete(peerId)
      const connection = this.#connectionTo(peerId)
      if (connection !== undefined) this.#track(this.#pullAdverts(connection))
    }
  }

  async #pullAdverts(connection: Connection): Promise<void> {
    const peerId = connection.remotePeer.toString()
    if (this.#pulling.has(peerId)) return
    this.#pulling.add(peerId)
    try {
      const signal = AbortSignal.any([this.#stopped.signal, AbortSignal.timeout(ADVERT_PULL_MS)])
      for (const received of await this.#ports.advert.pull(connection, { signal })) this.#onAdvert(received)
    } catch (error) {
      if (this.#stopped.signal.aborted) return
      this.#unpulled.set(peerId, this.#ports.clock.nowMs() + ADVERT_RETRY_MS)
      this.#ports.onEvent({
        event: 'submitter-lost',
        submitter: peerId,
        reason: `its adverts could not be pulled: ${messageOf(error)}`
      })
    } finally {
      this.#pulling.delete(peerId)
    }
  }

  #onAdvert({ advert }: ReceivedAdvert): void {
    this.#jobs.update(advert)
    if (advert.state === 'closed') this.#operands.forgetJob(advert.jobId)
    this.#pump()
  }

  /** A fast link must not make a message of each block. */
  async #tellLater(tell: () => void): Promise<void> {
    await sleepOrAbort(this.#ports.clock, OPERANDS_TOLD_MS, this.#stopped.signal)
    tell()
  }

  /** Says to the submitter of a job which of its blocks are here; a lost link says it all when it ends. */
  #tellOperands(changes: OperandChanges): void {
    const submitter = this.#jobs.submitterOf(changes.jobId)
    if (submitter !== undefined) this.#sessions.get(submitter)?.ready?.link.lease.tellOperands(changes)
  }

  /** Opens missing links and claims for free slots. */
  #pump(): void {
    if (this.#stopped.signal.aborted) return
    for (const submitter of this.#jobs.submitters()) this.#openSession(submitter)
    for (;;) {
      const advert = this.#jobs.choose((submitter) => this.#sessions.get(submitter)?.ready !== undefined)
      const ready = advert && this.#sessions.get(advert.submitter)?.ready
      if (advert === undefined || ready === undefined) return
      const free = this.#slotsFor(advert) - this.#usedSlots
      if (free <= 0) return
      this.#usedSlots += free
      this.#jobs.claiming(advert)
      this.#track(this.#claim(advert, ready, free))
    }
  }

  #slotsFor({ chunkBytesMax }: Advert): number {
    const small = Math.min(LEASES_SMALL_MAX, Math.floor(LEASES_SMALL_BYTES / chunkBytesMax))
    return Math.max(this.#ports.compute.threads + LEASES_AHEAD, small)
  }

  #openSession(submitter: string): void {
    const connection = this.#connectionTo(submitter)
    if (connection === undefined) return
    let session = this.#sessions.get(submitter)
    if (session === undefined) {
      session = new SubmitterSession(submitter, this.#held, this.#ports, {
        onReady: () => this.#pump(),
        onLost: (reason) => this.#ports.onEvent({ event: 'submitter-lost', submitter, reason }),
        onWake: (jobId) => this.#onWake(submitter, jobId)
      })
      this.#sessions.set(submitter, session)
    }
    this.#track(session.run(connection, { signal: this.#stopped.signal }))
  }

  /** The one that came first may have closed while another to the same peer is open. */
  #connectionTo(submitter: string): Connection | undefined {
    const known = this.#connections.get(submitter)
    return known === undefined || known.status === 'open' ? known : this.#ports.controlTo(known.remotePeer)
  }

  #onWake(submitter: string, jobId: string): void {
    if (this.#jobs.wake(submitter, jobId)) {
      this.#pump()
      return
    }
    const connection = this.#connectionTo(submitter)
    if (connection !== undefined) this.#track(this.#pullAdverts(connection))
  }

  /** Claims `count` chunks; the slots were taken by the caller and are given back for what is not granted. */
  async #claim(advert: Advert, session: ReadySession, count: number): Promise<void> {
    let granted = 0
    try {
      const signal = AbortSignal.any([this.#stopped.signal, session.link.signal, AbortSignal.timeout(CLAIM_MS)])
      const claimedMs = this.#ports.clock.nowMs()
      const reply = await session.link.lease.claim({ jobId: advert.jobId, count }, { signal })
      // Both may come in one turn: leases that begin after the link ended would never be told that they are over.
      session.link.signal.throwIfAborted()
      granted = Math.min(count, reply.grants.length)
      if (granted > 0) {
        const afterMs = Math.round((this.#ports.clock.nowMs() - claimedMs) * 10) / 10
        this.#ports.onEvent({ event: 'chunks-granted', jobId: advert.jobId, chunks: granted, afterMs })
      }
      for (const grant of reply.grants.slice(0, granted)) {
        this.#track(this.#work(advert, session, session.keeper.add(grant, claimedMs)))
      }
      this.#jobs.claimed(advert, granted, reply.refusal, reply.retryAfterMs)
    } catch (error) {
      const isOver = session.link.signal.aborted || this.#stopped.signal.aborted
      this.#jobs.claimed(advert, 0, RefusalCode.busy, isOver ? TICK_MS : CLAIM_FAILED_RETRY_MS)
      if (!isOver) {
        const reason = `a claim failed: ${messageOf(error)}`
        this.#ports.onEvent({ event: 'submitter-lost', submitter: advert.submitter, reason })
      }
    } finally {
      this.#usedSlots -= count - granted
      this.#pump()
    }
  }

  async #work(advert: Advert, { link, keeper }: ReadySession, lease: LiveLease): Promise<void> {
    const { grant } = lease
    const freeSlot = once(() => {
      this.#usedSlots -= 1
      this.#pump()
    })
    const named = { jobId: grant.jobId, chunkIndex: grant.chunkIndex }
    try {
      const outcome = await runLease(
        { lease, advert, link, operands: this.#operands, onPulled: freeSlot },
        this.#held,
        this.#ports
      )
      keeper.finish(grant.leaseNumber)
      if (outcome.outcome === 'receipted') this.#ports.onEvent({ event: 'chunk-receipted', ...named })
      else this.#ports.onEvent({ event: 'chunk-refused', ...named, code: outcome.code })
    } catch (error) {
      keeper.release(grant.leaseNumber, releaseReasonOf(error))
      this.#ports.onEvent({ event: 'chunk-dropped', ...named, reason: messageOf(error) })
    } finally {
      freeSlot()
    }
  }
}

function releaseReasonOf(error: unknown): ReleaseReason {
  if (error instanceof SwarmError && error.code === 'GRANT_TOO_LARGE') return 'out-of-memory'
  if (error instanceof SwarmError && error.code === 'INPUT_MISMATCH') return 'input-mismatch'
  if (error instanceof SwarmError && error.code === 'WORKER_STOPPED') return 'shutdown'
  if (error instanceof WireError) return 'input-unavailable'
  return 'kernel-failed'
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}
