import {
  CLAIM_BYTES_MAX,
  KERNEL_ID_BYTES_MAX,
  LABEL_BYTES_MAX,
  NAME_BYTES_MAX,
  RECEIPT_BYTES_MAX
} from './constants.ts'
import {
  checkAmount,
  checkBytes,
  checkHash,
  checkJobId,
  checkPeerId,
  checkText,
  checkUint,
  parseMessage
} from './fields.ts'
import { Claim as ClaimMessage } from './pb/claim.ts'
import { Receipt as ReceiptMessage } from './pb/receipt.ts'
import type { Claim, Receipt } from './receipt-types.ts'

/** Encodes a claim, the payload of a claim envelope. @throws WireError MESSAGE_MALFORMED when a field is out of range */
export function encodeClaim(claim: Claim): Uint8Array {
  const checked = checkClaim(claim)
  return ClaimMessage.encode({
    jobId: checked.jobId,
    chunkIndex: checked.chunkIndex,
    epoch: checked.epoch,
    incarnation: checked.incarnation,
    submitter: checked.submitter,
    workerName: checked.workerName,
    kernelId: checked.kernelId,
    inputHash: new Uint8Array(checked.inputHash),
    outputHash: new Uint8Array(checked.outputHash),
    inputBytes: checked.inputBytes,
    outputBytes: checked.outputBytes,
    computeMs: checked.computeMs
  })
}

/** Decodes and checks a claim. @throws WireError MESSAGE_MALFORMED */
export function decodeClaim(bytes: Uint8Array): Claim {
  checkBytes('claim', bytes, { max: CLAIM_BYTES_MAX })
  return checkClaim(parseMessage('claim', () => ClaimMessage.decode(bytes)))
}

/** Encodes a receipt, the payload of a receipt envelope. @throws WireError MESSAGE_MALFORMED when a field is out of range */
export function encodeReceipt(receipt: Receipt): Uint8Array {
  const checked = checkReceipt(receipt)
  return ReceiptMessage.encode({
    claim: new Uint8Array(checked.claim),
    kind: checked.kind,
    inputOffset: checked.inputOffset,
    units: checked.units,
    unit: checked.unit,
    verification: checked.verification,
    acceptedAtMs: checked.acceptedAtMs
  })
}

/** Decodes and checks a receipt; the claim inside stays closed. @throws WireError MESSAGE_MALFORMED */
export function decodeReceipt(bytes: Uint8Array): Receipt {
  checkBytes('receipt', bytes, { max: RECEIPT_BYTES_MAX })
  return checkReceipt(parseMessage('receipt', () => ReceiptMessage.decode(bytes)))
}

function checkClaim(claim: Claim): Claim {
  return {
    jobId: checkJobId('claim.jobId', claim.jobId),
    chunkIndex: checkUint('claim.chunkIndex', claim.chunkIndex),
    epoch: checkUint('claim.epoch', claim.epoch),
    incarnation: checkUint('claim.incarnation', claim.incarnation),
    submitter: checkPeerId('claim.submitter', claim.submitter),
    workerName: checkText('claim.workerName', claim.workerName, NAME_BYTES_MAX),
    kernelId: checkText('claim.kernelId', claim.kernelId, KERNEL_ID_BYTES_MAX),
    inputHash: checkHash('claim.inputHash', claim.inputHash),
    outputHash: checkHash('claim.outputHash', claim.outputHash),
    inputBytes: checkUint('claim.inputBytes', claim.inputBytes),
    outputBytes: checkUint('claim.outputBytes', claim.outputBytes),
    computeMs: checkAmount('claim.computeMs', claim.computeMs)
  }
}

function checkReceipt(receipt: Receipt): Receipt {
  return {
    claim: checkBytes('receipt.claim', receipt.claim, { min: 1, max: CLAIM_BYTES_MAX }),
    kind: checkText('receipt.kind', receipt.kind, LABEL_BYTES_MAX),
    inputOffset: checkUint('receipt.inputOffset', receipt.inputOffset),
    units: checkAmount('receipt.units', receipt.units),
    unit: checkText('receipt.unit', receipt.unit, LABEL_BYTES_MAX),
    verification: checkText('receipt.verification', receipt.verification, LABEL_BYTES_MAX),
    acceptedAtMs: checkUint('receipt.acceptedAtMs', receipt.acceptedAtMs)
  }
}
