import type { LeaseNumber } from './ids.ts'

const LEASE_NUMBER_MAX = 0xffff_ffff

/** Numbers the leases of all jobs of one incarnation of a submitter: uint32, above 0, never twice. */
export class LeaseNumberSource {
  #last = 0

  /** @throws RangeError after 2³² − 1 leases in one incarnation. */
  next(): LeaseNumber {
    if (this.#last === LEASE_NUMBER_MAX) throw new RangeError('lease numbers are used up: restart the submitter')
    return ++this.#last as LeaseNumber
  }
}
