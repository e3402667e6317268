import { createHash, randomBytes } from 'node:crypto'
import type { JobId } from '../domain/ids.ts'
import { createJobId, JOB_NONCE_BYTES } from '../domain/job-id.ts'

/** A fresh job id. */
export function makeJobId(submitter: string): JobId {
  return createJobId(submitter, randomBytes(JOB_NONCE_BYTES), (bytes) => createHash('sha256').update(bytes).digest())
}
