import { checkCount, checkHash, checkJobId, checkUint } from '../wire/fields.ts'
import { WireError } from '../wire/wire-error.ts'
import {
  CLAIM_COUNT_MAX,
  OPERAND_HOLDERS_MAX,
  OPERAND_PEERS_PER_ANSWER_MAX,
  OPERANDS_PER_ANSWER_MAX,
  TTL_MS_MAX,
  UINT32_MAX
} from './constants.ts'
import { checkOperands } from './operand-fields.ts'
import { packUints, unpackUints } from './packed-uints.ts'
import type { ClaimAnswer, LeaseGrant } from './pb/lease.ts'
import type { Grant } from './types.ts'

/** The grants of one answer. @throws WireError MESSAGE_MALFORMED */
export function checkGrants(grants: readonly Grant[]): readonly Grant[] {
  checkCount('grants', grants, CLAIM_COUNT_MAX)
  const operandCount = grants.reduce((sum, { operands }) => sum + operands.length, 0)
  checkUint('operands of all grants', operandCount, { max: OPERANDS_PER_ANSWER_MAX })
  return grants.map(checkGrant)
}

/**
 * Grants as they travel: each holder's peer id once, and positions in that list at the operands.
 * @throws WireError MESSAGE_MALFORMED when they name more than {@link OPERAND_PEERS_PER_ANSWER_MAX} holders
 */
export function flattenGrants(grants: readonly Grant[]): Pick<ClaimAnswer, 'grants' | 'peers'> {
  const positions = new Map<string, number>()
  const positionOf = (peer: string): number => {
    const position = positions.get(peer) ?? positions.size
    positions.set(peer, position)
    return position
  }
  const flat = grants.map(({ operands, ...grant }) => ({
    ...grant,
    inputHash: new Uint8Array(grant.inputHash),
    operands: operands.map(({ index, hash, byteLength, holders }) => ({
      index,
      hash: new Uint8Array(hash),
      byteLength,
      holders: packUints(holders.map(positionOf))
    }))
  }))
  checkCount('holders of all grants', [...positions.keys()], OPERAND_PEERS_PER_ANSWER_MAX)
  return { grants: flat, peers: [...positions.keys()] }
}

/** Takes what travelled. @throws WireError MESSAGE_MALFORMED */
export function parseGrants({ grants, peers }: Pick<ClaimAnswer, 'grants' | 'peers'>): readonly Grant[] {
  return checkGrants(grants.map((grant) => resolveGrant(grant, peers)))
}

function resolveGrant(grant: LeaseGrant, peers: readonly string[]): Grant {
  const peerAt = (position: number): string => {
    const peer = peers[position]
    if (peer !== undefined) return peer
    throw new WireError('MESSAGE_MALFORMED', `operand.holders: expected a peer below ${peers.length}, not ${position}`)
  }
  const operands = grant.operands.map(({ holders, ...operand }) => ({
    ...operand,
    holders: unpackUints('operand.holders', holders, OPERAND_HOLDERS_MAX).map(peerAt)
  }))
  return { ...grant, operands }
}

function checkGrant(grant: Grant): Grant {
  return {
    leaseNumber: checkUint('grant.leaseNumber', grant.leaseNumber, { min: 1, max: UINT32_MAX }),
    jobId: checkJobId('grant.jobId', grant.jobId),
    chunkIndex: checkUint('grant.chunkIndex', grant.chunkIndex, { max: UINT32_MAX }),
    inputBytes: checkUint('grant.inputBytes', grant.inputBytes, { min: 1 }),
    resultBytes: checkUint('grant.resultBytes', grant.resultBytes),
    epoch: checkUint('grant.epoch', grant.epoch, { min: 1, max: UINT32_MAX }),
    incarnation: checkUint('grant.incarnation', grant.incarnation, { max: UINT32_MAX }),
    ttlMs: checkUint('grant.ttlMs', grant.ttlMs, { min: 1, max: TTL_MS_MAX }),
    inputHash: checkHash('grant.inputHash', grant.inputHash),
    adopted: grant.adopted,
    operands: checkOperands(grant.operands)
  }
}
