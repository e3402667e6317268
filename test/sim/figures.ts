import type { LeaseCounters } from '../../src/domain/lease-types.ts'

/** What happened in one run or in many. */
export class Figures {
  runs = 0
  chunks = 0
  localChunks = 0
  grants = 0
  adopted = 0
  barred = 0
  releases = 0
  duplicates = 0
  backups = 0
  virtualMs = 0
  actions = 0
  readonly faults = { kill: 0, pause: 0, partition: 0, disconnect: 0, restart: 0 }
  readonly #regrantMs: number[] = []

  /** The counters of one incarnation of a submitter. */
  add({ releases, duplicates, backups }: Pick<LeaseCounters, 'releases' | 'duplicates' | 'backups'>): void {
    this.releases += releases
    this.duplicates += duplicates
    this.backups += backups
  }

  /** From the release of a chunk to its next grant, in ms. */
  regrantedAfter(delayMs: number): void {
    this.#regrantMs.push(delayMs)
  }

  /** Adds another run's figures to these. */
  merge(other: Figures): void {
    this.add(other)
    this.runs += other.runs
    this.chunks += other.chunks
    this.localChunks += other.localChunks
    this.grants += other.grants
    this.adopted += other.adopted
    this.barred += other.barred
    this.virtualMs += other.virtualMs
    this.actions += other.actions
    this.#regrantMs.push(...other.#regrantMs)
    for (const kind of Object.keys(this.faults) as (keyof Figures['faults'])[]) this.faults[kind] += other.faults[kind]
  }

  /** Time from release to the next grant that this share of releases stayed below, in ms. */
  regrantMs(share: number): number {
    const sorted = this.#regrantMs.toSorted((a, b) => a - b)
    return sorted[Math.floor(share * (sorted.length - 1))] ?? 0
  }
}
