import { CLAIM_DOMAIN, CLAIM_TYPE, RECEIPT_DOMAIN, RECEIPT_TYPE } from '../../protocols/wire/constants.ts'
import { decodeEnvelope, openEnvelope, sealEnvelope } from '../../protocols/wire/envelope.ts'
import { decodeClaim, decodeReceipt, encodeClaim, encodeReceipt } from '../../protocols/wire/receipt.ts'
import type { Claim, Receipt, Signer, VerifySignature } from '../../protocols/wire/receipt-types.ts'
import { SwarmError } from '../errors.ts'
import { peerIdOf } from '../store/identity.ts'
import type { OpenedClaim } from '../submitter/ports.ts'

/** Signs and opens the envelopes of claims and receipts with this peer's key. */
export class EnvelopeDesk {
  readonly #signer: Signer
  readonly #verify: VerifySignature

  constructor(signer: Signer, verify: VerifySignature) {
    this.#signer = signer
    this.#verify = verify
  }

  signClaim(claim: Claim): Promise<Uint8Array> {
    return sealEnvelope(CLAIM_DOMAIN, CLAIM_TYPE, encodeClaim(claim), this.#signer)
  }

  signReceipt(receipt: Receipt): Promise<Uint8Array> {
    return sealEnvelope(RECEIPT_DOMAIN, RECEIPT_TYPE, encodeReceipt(receipt), this.#signer)
  }

  /** @throws WireError ENVELOPE_MALFORMED, SIGNATURE_INVALID, MESSAGE_MALFORMED */
  async openClaim(envelope: Uint8Array): Promise<OpenedClaim> {
    const { publicKey, payload } = await openEnvelope(envelope, CLAIM_DOMAIN, this.#verify, { payloadType: CLAIM_TYPE })
    return { claim: decodeClaim(payload), worker: peerIdOf(publicKey) }
  }
}

/**
 * Checks that a receipt says it is by the submitter and holds our claim, byte for byte; its signatures are checked where
 * it is kept.
 * @throws WireError ENVELOPE_MALFORMED, MESSAGE_MALFORMED; SwarmError RECEIPT_WRONG
 */
export function checkReceiptParties(envelope: Uint8Array, expected: { submitter: string; claim: Uint8Array }): void {
  const { publicKey, payload } = decodeEnvelope(envelope)
  const signer = peerIdOf(publicKey)
  if (signer === expected.submitter && Buffer.compare(decodeReceipt(payload).claim, expected.claim) === 0) return
  const message = `submitter ${expected.submitter} sent a receipt that is signed by ${signer} or is for another claim`
  throw new SwarmError('RECEIPT_WRONG', message)
}
