import type { Uint8ArrayList } from 'uint8arraylist'
import { checkJobId, checkKnown, checkUint, parseMessage } from '../wire/fields.ts'
import { RefusalCode, WireError } from '../wire/wire-error.ts'
import {
  CLAIM_COUNT_MAX,
  HEARTBEAT_LEASES_MAX,
  LEASES_PER_MESSAGE_MAX,
  OPERAND_PEERS_PER_ANSWER_MAX,
  OPERANDS_PER_GRANT_MAX,
  RETRY_AFTER_MS_MAX
} from './constants.ts'
import { checkGrants, flattenGrants, parseGrants } from './grants.ts'
import { checkLeaseNumbers } from './lease-numbers.ts'
import { type ClaimAnswer, SubmitterMessage as SubmitterMessageCodec } from './pb/lease.ts'
import type { ClaimReply } from './types.ts'

/** What a submitter says, checked. */
export type SubmitterMessage =
  | { readonly type: 'welcome' }
  | { readonly type: 'refused'; readonly code: RefusalCode }
  | { readonly type: 'claim-answer'; readonly requestId: number; readonly reply: ClaimReply }
  | { readonly type: 'heartbeat-ack'; readonly requestId: number; readonly gone: readonly number[] }
  | { readonly type: 'revoked'; readonly leaseNumbers: readonly number[]; readonly reason: RefusalCode }
  | { readonly type: 'wake'; readonly jobId: string }

const LIMITS = {
  claimAnswer: {
    grants: CLAIM_COUNT_MAX,
    grants$: { operands: OPERANDS_PER_GRANT_MAX },
    peers: OPERAND_PEERS_PER_ANSWER_MAX
  },
  heartbeatAck: { gone: HEARTBEAT_LEASES_MAX },
  revoked: { leaseNumbers: LEASES_PER_MESSAGE_MAX }
}
const REFUSAL_CODES: ReadonlyMap<number, RefusalCode> = new Map(Object.values(RefusalCode).map((code) => [code, code]))

/** @throws WireError MESSAGE_MALFORMED when a field of our own message is out of range. */
export function encodeSubmitterMessage(message: SubmitterMessage): Uint8Array {
  switch (message.type) {
    case 'welcome':
      return SubmitterMessageCodec.encode({ welcome: {} })
    case 'refused':
      return SubmitterMessageCodec.encode({ refused: { code: message.code } })
    case 'claim-answer': {
      const { grants, refusal, retryAfterMs } = checkReply(message.reply)
      return SubmitterMessageCodec.encode({
        claimAnswer: {
          requestId: message.requestId,
          ...flattenGrants(grants),
          refusal: refusal ?? 0,
          retryAfterMs
        }
      })
    }
    case 'heartbeat-ack':
      return SubmitterMessageCodec.encode({
        heartbeatAck: { requestId: message.requestId, gone: [...checkLeaseNumbers(message.gone)] }
      })
    case 'revoked':
      return SubmitterMessageCodec.encode({
        revoked: { leaseNumbers: [...checkLeaseNumbers(message.leaseNumbers)], reason: message.reason }
      })
    case 'wake':
      return SubmitterMessageCodec.encode({ wake: { jobId: checkJobId('wake.jobId', message.jobId) } })
  }
}

/** Takes untrusted bytes. @throws WireError MESSAGE_MALFORMED */
export function parseSubmitterMessage(bytes: Uint8Array | Uint8ArrayList): SubmitterMessage {
  const message = parseMessage('lease message', () => SubmitterMessageCodec.decode(bytes, { limits: LIMITS }))
  const { welcome, refused, claimAnswer, heartbeatAck, revoked, wake } = message
  if (Object.keys(message).length !== 1) {
    throw new WireError('MESSAGE_MALFORMED', 'lease message: expected exactly one body')
  }
  if (heartbeatAck !== undefined) {
    const { requestId, gone } = heartbeatAck
    return { type: 'heartbeat-ack', requestId, gone: checkLeaseNumbers(gone) }
  }
  if (claimAnswer !== undefined) {
    return { type: 'claim-answer', requestId: claimAnswer.requestId, reply: parseReply(claimAnswer) }
  }
  if (revoked !== undefined) {
    const { leaseNumbers, reason } = revoked
    return { type: 'revoked', leaseNumbers: checkLeaseNumbers(leaseNumbers), reason: parseRefusal(reason) }
  }
  if (wake !== undefined) return { type: 'wake', jobId: checkJobId('wake.jobId', wake.jobId) }
  if (welcome !== undefined) return { type: 'welcome' }
  if (refused !== undefined) return { type: 'refused', code: parseRefusal(refused.code) }
  throw new WireError('MESSAGE_MALFORMED', 'lease message: unknown body')
}

function parseRefusal(code: number): RefusalCode {
  return checkKnown('refusal', code, REFUSAL_CODES)
}

function parseReply(answer: ClaimAnswer): ClaimReply {
  const { refusal, retryAfterMs } = answer
  const grants = parseGrants(answer)
  return checkReply(refusal === 0 ? { grants, retryAfterMs } : { grants, refusal: parseRefusal(refusal), retryAfterMs })
}

function checkReply(reply: ClaimReply): ClaimReply {
  if ((reply.grants.length === 0) !== (reply.refusal !== undefined)) {
    throw new WireError('MESSAGE_MALFORMED', 'answer to a claim: expected either grants or a refusal')
  }
  const retryAfterMs = checkUint('retryAfterMs', reply.retryAfterMs, { max: RETRY_AFTER_MS_MAX })
  if (reply.refusal !== undefined) return { grants: [], refusal: reply.refusal, retryAfterMs }
  return { grants: checkGrants(reply.grants), retryAfterMs }
}
