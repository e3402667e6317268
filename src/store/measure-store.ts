import type { StatementSync } from 'node:sqlite'
import type { Database } from './database.ts'

/** Kernels whose speed is remembered; those measured longest ago go first. */
export const KERNEL_MEASURES_MAX = 64
/** Peers whose link is remembered; those measured longest ago go first. */
export const LINK_MEASURES_MAX = 1_000

/** What a kernel takes on this machine. */
export interface KernelMeasure {
  /** Thread time for a byte of a chunk while all threads work, in ns. */
  readonly nsPerByte: number
  /** What its first use takes beside that, in ms. */
  readonly startMs: number
  /** Thread time for the check of a byte of a peer's result, in ns; 0 where it is part of moving it. */
  readonly checkNsPerByte: number
}

/** What a link to a peer carries. */
export interface LinkMeasure {
  /** Each way, at once. */
  readonly bytesPerSecond: number
  /** Round trip, in ms. */
  readonly latencyMs: number
}

/** A measure as it is remembered. */
export type Remembered<Measure> = Measure & {
  /** Unix ms. */
  readonly measuredAtMs: number
}

/** A kernel's measure, with where it is from. */
export type RememberedKernel = Remembered<KernelMeasure & { readonly source: 'measured' | 'jobs' }>

/** What this home measured of its machine's kernels and of its links, for forecasts. Nothing but a hint. */
export class MeasureStore {
  readonly #database: Database
  readonly #putKernel: StatementSync
  readonly #pruneKernels: StatementSync
  readonly #getKernel: StatementSync
  readonly #putLink: StatementSync
  readonly #pruneLinks: StatementSync
  readonly #getLink: StatementSync

  constructor(database: Database) {
    this.#database = database
    this.#putKernel = database.prepare(`INSERT OR REPLACE INTO kernel_measures
      (kernel, ns_per_byte, start_ms, check_ns_per_byte, source, measured_at_ms) VALUES (?, ?, ?, ?, ?, ?)`)
    this.#pruneKernels = database.prepare(`DELETE FROM kernel_measures WHERE kernel IN
      (SELECT kernel FROM kernel_measures ORDER BY measured_at_ms DESC, kernel LIMIT -1 OFFSET ${KERNEL_MEASURES_MAX})`)
    this.#getKernel = database.prepare('SELECT * FROM kernel_measures WHERE kernel = ?')
    this.#putLink = database.prepare(`INSERT OR REPLACE INTO link_measures
      (peer_id, bytes_per_second, latency_ms, measured_at_ms) VALUES (?, ?, ?, ?)`)
    this.#pruneLinks = database.prepare(`DELETE FROM link_measures WHERE peer_id IN
      (SELECT peer_id FROM link_measures ORDER BY measured_at_ms DESC, peer_id LIMIT -1 OFFSET ${LINK_MEASURES_MAX})`)
    this.#getLink = database.prepare('SELECT * FROM link_measures WHERE peer_id = ?')
  }

  /** Remembers a kernel's speed. What is no speed (0, negative, not finite) is not kept. */
  keepKernel(kernel: string, measure: RememberedKernel): void {
    const { nsPerByte, startMs, checkNsPerByte, source, measuredAtMs } = measure
    if (!isPositive(nsPerByte) || !isCount(startMs) || !isCount(checkNsPerByte)) return
    this.#write(() => {
      this.#putKernel.run(kernel, nsPerByte, startMs, checkNsPerByte, source, measuredAtMs)
      this.#pruneKernels.run()
    })
  }

  /** @returns undefined when it was never measured, or before `sinceMs` (Unix ms) */
  kernel(kernel: string, sinceMs: number): RememberedKernel | undefined {
    const row = this.#getKernel.get(kernel)
    if (row === undefined || Number(row.measured_at_ms) < sinceMs) return undefined
    return {
      nsPerByte: Number(row.ns_per_byte),
      startMs: Number(row.start_ms),
      checkNsPerByte: Number(row.check_ns_per_byte),
      source: row.source === 'jobs' ? 'jobs' : 'measured',
      measuredAtMs: Number(row.measured_at_ms)
    }
  }

  /** Remembers what a peer's link carries. What is no speed is not kept. */
  keepLink(peerId: string, { bytesPerSecond, latencyMs, measuredAtMs }: Remembered<LinkMeasure>): void {
    if (!isPositive(bytesPerSecond) || !isCount(latencyMs)) return
    this.#write(() => {
      this.#putLink.run(peerId, bytesPerSecond, latencyMs, measuredAtMs)
      this.#pruneLinks.run()
    })
  }

  /** @returns undefined when it was never measured, or before `sinceMs` (Unix ms) */
  link(peerId: string, sinceMs: number): Remembered<LinkMeasure> | undefined {
    const row = this.#getLink.get(peerId)
    if (row === undefined || Number(row.measured_at_ms) < sinceMs) return undefined
    return {
      bytesPerSecond: Number(row.bytes_per_second),
      latencyMs: Number(row.latency_ms),
      measuredAtMs: Number(row.measured_at_ms)
    }
  }

  #write(body: () => void): void {
    this.#database.transaction(body, { durable: false })
  }
}

function isPositive(value: number): boolean {
  return Number.isFinite(value) && value > 0
}

function isCount(value: number): boolean {
  return Number.isFinite(value) && value >= 0
}
