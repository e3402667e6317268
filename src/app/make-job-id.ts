import { createHash, randomBytes } from 'node:crypto'
import { base32 } from 'multiformats/bases/base32'
import { type JobId, parseJobId } from '../domain/ids.ts'

/** Bytes of the digest that make an id; 26 characters of base32. */
const ID_BYTES = 16

/**
 * A fresh job id. It is bound to its submitter by the claims and receipts that name both, not by its digest: nobody else
 * can sign a receipt of this submitter's.
 */
export function makeJobId(submitter: string): JobId {
  const digest = createHash('sha256').update(submitter).update(randomBytes(ID_BYTES)).digest()
  const jobId = parseJobId(base32.baseEncode(digest.subarray(0, ID_BYTES)))
  if (jobId === undefined) throw new Error('a digest does not make a job id')
  return jobId
}
