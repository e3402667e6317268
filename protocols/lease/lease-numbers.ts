import { checkCount, checkUint } from '../wire/fields.ts'
import { LEASES_PER_MESSAGE_MAX, UINT32_MAX } from './constants.ts'

/** @throws WireError MESSAGE_MALFORMED unless these are lease numbers that one message may hold. */
export function checkLeaseNumbers(leaseNumbers: readonly number[]): readonly number[] {
  checkCount('lease numbers', leaseNumbers, LEASES_PER_MESSAGE_MAX)
  for (const leaseNumber of leaseNumbers) checkUint('lease number', leaseNumber, { min: 1, max: UINT32_MAX })
  return leaseNumbers
}

/** Cuts a list of lease numbers to what single messages may hold. */
export function batchLeaseNumbers(leaseNumbers: readonly number[]): readonly (readonly number[])[] {
  const batches: (readonly number[])[] = []
  for (let start = 0; start < leaseNumbers.length; start += LEASES_PER_MESSAGE_MAX) {
    batches.push(leaseNumbers.slice(start, start + LEASES_PER_MESSAGE_MAX))
  }
  return batches
}
