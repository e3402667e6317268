import { generateKeyPairFromSeed, publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import type { Claim, FeedEntry, Receipt, Signer, VerifySignature } from '../../../protocols/wire/receipt-types.ts'

const PEER = '12D3KooWGzhNbLwgCRmCyKYsLpsM5vKXyaPoTCFCaaL9BYGjgTvt'

/** Values that the golden vectors and the codec tests share. */
export const claim: Claim = {
  jobId: 'abcdefghijklmnopqrstuvwxyz',
  chunkIndex: 7,
  epoch: 2,
  incarnation: 3,
  submitter: PEER,
  workerName: 'büro',
  kernelId: 'invert/1',
  inputHash: new Uint8Array(32).fill(1),
  outputHash: new Uint8Array(32).fill(2),
  inputBytes: 4_194_304,
  outputBytes: 4_194_304,
  computeMs: 12.5
}

export const receipt: Receipt = {
  claim: Uint8Array.of(1, 2, 3),
  kind: 'invert',
  inputOffset: 635_040_000,
  units: 1_048_576,
  unit: 'samples',
  verification: 'full',
  acceptedAtMs: 1_763_000_000_000
}

export const receiptsEntry: FeedEntry = {
  sequence: 1,
  previousHash: new Uint8Array(32),
  body: { type: 'receipts', receipts: [Uint8Array.of(9), Uint8Array.of(8, 8)] }
}

export const closeEntry: FeedEntry = {
  sequence: 2,
  previousHash: new Uint8Array(32).fill(3),
  body: {
    type: 'job-close',
    jobId: 'abcdefghijklmnopqrstuvwxyz',
    outcome: 'done',
    kind: 'invert',
    inputBytes: 635_040_000,
    chunks: 152,
    localChunks: 12,
    localUnits: 12_582_912,
    receiptsRoot: new Uint8Array(32).fill(4),
    receipts: 140,
    closedAtMs: 1_763_000_001_000
  }
}

/** A fixed key, so that envelopes are the same bytes in each run. */
export async function seededKey(seed = 5): Promise<PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed))
}

export function signerOf(key: PrivateKey): Signer {
  return { publicKey: publicKeyToProtobuf(key.publicKey), sign: async (bytes) => key.sign(bytes) }
}

export const verify: VerifySignature = async (publicKey, bytes, signature) =>
  publicKeyFromProtobuf(publicKey).verify(bytes, signature)

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'))
