import { type JobId, parseJobId } from './ids.ts'
import type { Hash } from './merkle.ts'

/** Bytes of the nonce in a job id. */
export const JOB_NONCE_BYTES = 16

const JOB_ID_BYTES = 16
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const BITS_PER_CHAR = 5

/**
 * Makes a job id: base32 of the first 16 bytes of SHA-256 over the submitter's peer id and a nonce.
 *
 * The id alone proves nothing. What binds a job to its submitter are the signatures: the worker's claim names the
 * submitter, the submitter signs the receipt, and credit counts per (submitter, job, chunk). Whoever reuses another's job
 * id only fills a job of its own.
 *
 * @param nonce {@link JOB_NONCE_BYTES} random bytes
 */
export function createJobId(submitter: string, nonce: Uint8Array, hash: Hash): JobId {
  const peer = new TextEncoder().encode(submitter)
  const bytes = new Uint8Array(peer.byteLength + nonce.byteLength)
  bytes.set(peer)
  bytes.set(nonce, peer.byteLength)
  const jobId = parseJobId(base32(hash(bytes).subarray(0, JOB_ID_BYTES)))
  if (jobId === undefined) throw new RangeError('the hash gave fewer bytes than a job id has')
  return jobId
}

function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    while (bits >= BITS_PER_CHAR) {
      bits -= BITS_PER_CHAR
      text += ALPHABET[value >>> bits]
      value &= (1 << bits) - 1
    }
  }
  return bits === 0 ? text : text + ALPHABET[value << (BITS_PER_CHAR - bits)]
}
