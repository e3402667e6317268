/** What a worker says it did, signed by the worker under CLAIM_DOMAIN. */
export interface Claim {
  readonly jobId: string
  readonly chunkIndex: number
  readonly epoch: number
  readonly incarnation: number
  /** Peer id text of the submitter that granted the lease. */
  readonly submitter: string
  /** Human name of the worker. */
  readonly workerName: string
  readonly kernelId: string
  /** BLAKE3 of input and result, 32 bytes each. */
  readonly inputHash: Uint8Array
  readonly outputHash: Uint8Array
  readonly inputBytes: number
  readonly outputBytes: number
  /** As claimed by the worker; shown, never credited. */
  readonly computeMs: number
}

/** The submitter's acceptance of a claim, signed by the submitter under RECEIPT_DOMAIN. Holds the claim envelope as it came. */
export interface Receipt {
  /** The worker's claim envelope, byte for byte. */
  readonly claim: Uint8Array
  readonly kind: string
  /** Byte offset of the chunk's input in the file, so that whoever holds the file can check the hash. */
  readonly inputOffset: number
  /** Credit, computed from the job. */
  readonly units: number
  readonly unit: string
  /** How the result was verified, for example `full`. */
  readonly verification: string
  /** Unix ms at the submitter. */
  readonly acceptedAtMs: number
}

/** Body of a feed entry. */
export type FeedBody =
  /** Receipt envelopes, at most RECEIPTS_PER_ENTRY_MAX. */
  | { readonly type: 'receipts'; readonly receipts: readonly Uint8Array[] }
  | {
      readonly type: 'job-close'
      readonly jobId: string
      readonly outcome: 'done' | 'failed' | 'cancelled'
      readonly kind: string
      readonly inputBytes: number
      readonly chunks: number
      /** Chunks that the submitter did itself: listed, never credited. */
      readonly localChunks: number
      readonly localUnits: number
      /** RFC 6962 Merkle tree head over the job's receipt envelopes, ordered by chunkIndex; 32 bytes. */
      readonly receiptsRoot: Uint8Array
      readonly receipts: number
      readonly closedAtMs: number
    }

/** One entry of a feed, signed by its author under ENTRY_DOMAIN. */
export interface FeedEntry {
  /** From 1, without gaps. */
  readonly sequence: number
  /** SHA-256 of the envelope before; 32 zero bytes at sequence 1. */
  readonly previousHash: Uint8Array
  readonly body: FeedBody
}

/** A libp2p signed envelope, taken apart. @see https://github.com/libp2p/specs/blob/master/RFC/0002-signed-envelopes.md */
export interface SignedEnvelope {
  /** Protobuf encoding of the signer's public key (libp2p form). */
  readonly publicKey: Uint8Array
  readonly payloadType: Uint8Array
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** Signs and verifies off the main thread; handed in by the app. */
export interface Signer {
  /** Libp2p protobuf form of the public key. */
  readonly publicKey: Uint8Array
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

/** @returns whether the signature is right for the key (libp2p protobuf form). */
export type VerifySignature = (publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array) => Promise<boolean>
