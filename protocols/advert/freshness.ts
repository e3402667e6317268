import { ADVERTS_MAX, SUBMITTERS_MAX } from './constants.ts'
import type { Advert } from './types.ts'

/** How an advert stands to what is known of its job. `current` came before, by gossip or by pull. */
export type Freshness = 'fresh' | 'current' | 'stale'

interface Mark {
  readonly incarnation: number
  readonly sequence: number
}

/**
 * The newest advert seen of each job. Owned by the advert service. Keyed by submitter first, so that no peer can push
 * out, or pass for, the jobs of another; both levels forget what was heard of longest ago.
 */
export class FreshnessTable {
  readonly #submitters = new Map<string, Map<string, Mark>>()

  /** Compares an advert with what is known, and remembers it when it is newer. */
  note(advert: Advert): Freshness {
    const jobs = this.#submitters.get(advert.submitter) ?? new Map<string, Mark>()
    const known = jobs.get(advert.jobId)
    const order = known === undefined ? 1 : compare(advert, known)
    if (order < 0) return 'stale'
    if (order > 0) jobs.set(advert.jobId, { incarnation: advert.incarnation, sequence: advert.sequence })
    keepNewest(jobs, advert.jobId, ADVERTS_MAX)
    this.#submitters.set(advert.submitter, jobs)
    keepNewest(this.#submitters, advert.submitter, SUBMITTERS_MAX)
    return order > 0 ? 'fresh' : 'current'
  }
}

function compare(one: Mark, other: Mark): number {
  return one.incarnation - other.incarnation || one.sequence - other.sequence
}

/** Moves `key` to the end of the map's order, then drops from the front what is over `max`. */
function keepNewest<Value>(map: Map<string, Value>, key: string, max: number): void {
  const value = map.get(key)
  if (value !== undefined) {
    map.delete(key)
    map.set(key, value)
  }
  for (const oldest of map.keys()) {
    if (map.size <= max) return
    map.delete(oldest)
  }
}
