import { HEARTBEAT_INTERVAL_MS, LEASE_TTL_MS, WORKER_STOP_FRACTION } from '../../protocols/lease/constants.ts'
import type { Grant, LeaseClient, ReleaseReason } from '../../protocols/lease/types.ts'
import type { RefusalCode } from '../../protocols/wire/wire-error.ts'
import type { Clock } from '../domain/clock.ts'
import { SwarmError } from '../errors.ts'

/** Longest wait for the acknowledgement of a heartbeat; by then every lease that it named is over. */
const HEARTBEAT_WAIT_MS = LEASE_TTL_MS * WORKER_STOP_FRACTION
/** How often leases are looked at for the end of their time, heartbeat under way or not. */
const EXPIRY_LOOK_MS = 250

/** One lease that this worker holds now. */
export interface LiveLease {
  readonly grant: Grant
  /** Aborts when the lease is lost, revoked or given back. */
  readonly signal: AbortSignal
  /** One Int32 that the kernel thread advances, in KiB done. */
  readonly computed: Int32Array<SharedArrayBuffer>
  /** Bytes received and returned so far. */
  movedBytes: number
}

interface KeptLease extends LiveLease {
  readonly controller: AbortController
  /** Start of the time to live, by this worker's clock. */
  renewedMs: number
  ttlMs: number
}

/**
 * Owns the leases held from one submitter: heartbeats them together, and aborts each when it is revoked or when its time
 * to live, counted from the send of the last acknowledged heartbeat, is nearly over.
 */
export class LeaseKeeper {
  readonly #leases = new Map<number, KeptLease>()
  readonly #client: LeaseClient
  readonly #clock: Clock

  constructor(client: LeaseClient, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  get count(): number {
    return this.#leases.size
  }

  /** @param claimedMs when the claim was sent, from which the first time to live counts */
  add(grant: Grant, claimedMs: number): LiveLease {
    const controller = new AbortController()
    const lease: KeptLease = {
      grant,
      controller,
      signal: controller.signal,
      computed: new Int32Array(new SharedArrayBuffer(4)),
      movedBytes: 0,
      renewedMs: claimedMs,
      ttlMs: grant.ttlMs
    }
    this.#leases.set(grant.leaseNumber, lease)
    return lease
  }

  /** Forgets a lease whose work is over. */
  finish(leaseNumber: number): void {
    this.#leases.delete(leaseNumber)
  }

  /** Gives a lease back. */
  release(leaseNumber: number, reason: ReleaseReason): void {
    if (this.#leases.delete(leaseNumber) && !this.#client.signal.aborted) this.#client.release([leaseNumber], reason)
  }

  /** Gives all leases back and aborts their work. */
  releaseAll(reason: ReleaseReason): void {
    const numbers = [...this.#leases.keys()]
    if (numbers.length > 0 && !this.#client.signal.aborted) this.#client.release(numbers, reason)
    this.#abort(numbers, new SwarmError('LEASE_RELEASED', `lease given back: ${reason}`))
  }

  /** The submitter says these leases are over. */
  revoke(leaseNumbers: readonly number[], code: RefusalCode | undefined): void {
    this.#abort(
      leaseNumbers,
      new SwarmError('LEASE_REVOKED', `the submitter revoked the lease (${code ?? 'not live'})`)
    )
  }

  /** Heartbeats until the signal aborts or the stream ends. Rejects with the reason of either. */
  async run({ signal }: { signal: AbortSignal }): Promise<never> {
    const ended = new AbortController()
    const either = AbortSignal.any([signal, ended.signal])
    const loops = [this.#beat(either), this.#watchExpiry(either)]
    try {
      return await Promise.race(loops)
    } finally {
      ended.abort(new SwarmError('HEARTBEATS_ENDED', 'the heartbeats of a submitter ended'))
      await Promise.allSettled(loops)
    }
  }

  async #beat(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#clock.sleep(HEARTBEAT_INTERVAL_MS, { signal })
      if (this.#leases.size > 0) await this.#heartbeat(signal)
    }
  }

  /** Beside the heartbeats, since one that is not answered must not delay it. */
  async #watchExpiry(signal: AbortSignal): Promise<never> {
    for (;;) {
      await this.#clock.sleep(EXPIRY_LOOK_MS, { signal })
      this.#stopExpired()
    }
  }

  async #heartbeat(signal: AbortSignal): Promise<void> {
    const sentMs = this.#clock.nowMs()
    const beating = [...this.#leases.values()]
    const progress = beating.map((lease) => ({
      leaseNumber: lease.grant.leaseNumber,
      progress: lease.movedBytes + Atomics.load(lease.computed, 0) * 1024
    }))
    const patience = AbortSignal.any([signal, AbortSignal.timeout(HEARTBEAT_WAIT_MS)])
    const dead = await this.#client.heartbeat(progress, { signal: patience })
    this.revoke(dead, undefined)
    for (const lease of beating) {
      lease.renewedMs = sentMs
      lease.ttlMs = LEASE_TTL_MS
    }
  }

  #stopExpired(): void {
    const nowMs = this.#clock.nowMs()
    const expired = [...this.#leases.values()]
      .filter((lease) => nowMs - lease.renewedMs > lease.ttlMs * WORKER_STOP_FRACTION)
      .map((lease) => lease.grant.leaseNumber)
    this.#abort(expired, new SwarmError('LEASE_EXPIRED', 'no heartbeat was acknowledged within the time to live'))
  }

  #abort(leaseNumbers: readonly number[], reason: SwarmError): void {
    for (const leaseNumber of leaseNumbers) {
      this.#leases.get(leaseNumber)?.controller.abort(reason)
      this.#leases.delete(leaseNumber)
    }
  }
}
