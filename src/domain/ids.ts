declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** 26 characters of lower-case base32: the first 16 bytes of SHA-256 over the submitter's peer id and a random nonce. */
export type JobId = Branded<'JobId'>

/** The text form of a libp2p peer id. */
export type PeerName = Branded<'PeerName'>

const JOB_ID = /^[a-z2-7]{26}$/

/** Takes untrusted text. @returns undefined unless it has the form of a job id. */
export function parseJobId(text: string): JobId | undefined {
  return JOB_ID.test(text) ? (text as JobId) : undefined
}

/** Takes the text of a peer id that libp2p has already checked. */
export function peerName(text: string): PeerName {
  return text as PeerName
}

/**
 * Number of one lease within one incarnation of a submitter; travels as uint32. It names (job, chunk, epoch) on the
 * bulk protocols, whose frames have room for 32 bits only.
 */
export type LeaseNumber = number & { readonly [brand]: 'LeaseNumber' }
