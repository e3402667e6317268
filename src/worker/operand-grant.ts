import type { GrantOperand } from '../../protocols/lease/types.ts'
import { toHex } from '../domain/bytes.ts'
import { SwarmError } from '../errors.ts'
import { OPERAND_BYTES_MAX } from '../tasks/matrix/matrix-plan.ts'
import type { OperandSource } from './operand-block-fetch.ts'
import type { CachedBlock, WantedBlock } from './operand-cache.ts'

/** A block of a grant, with all indexes at which its content stands. */
export interface DistinctBlock extends WantedBlock {
  readonly operand: GrantOperand
  readonly indexes: number[]
}

/** The same content may stand at several indexes. @throws SwarmError INPUT_MISMATCH when the grant makes no sense */
export function distinctBlocks(operands: readonly GrantOperand[]): Map<string, DistinctBlock> {
  const blocks = new Map<string, DistinctBlock>()
  for (const operand of operands) {
    const { hash, byteLength, index } = operand
    const key = toHex(hash)
    const known = blocks.get(key)
    const isPossible = byteLength >= 1 && byteLength <= OPERAND_BYTES_MAX
    if (!isPossible || (known !== undefined && known.byteLength !== byteLength)) {
      const expected = known === undefined ? `1 to ${OPERAND_BYTES_MAX}` : `the ${known.byteLength} of the same block`
      const message = `operand ${index} is granted with ${byteLength} bytes, expected ${expected}`
      throw new SwarmError('INPUT_MISMATCH', message)
    }
    if (known === undefined) blocks.set(key, { key, byteLength, indexes: [index], operand })
    else known.indexes.push(index)
  }
  return blocks
}

/** How a block of the grant is to be had: its holders in the grant's order, then the submitter. */
export function requestFor(
  { key }: CachedBlock,
  wanted: ReadonlyMap<string, DistinctBlock>,
  { jobId, submitter }: { jobId: string; submitter: string }
): { hash: Uint8Array; sources: readonly OperandSource[] } {
  const operand = wanted.get(key)?.operand
  if (operand === undefined) throw new RangeError(`the block ${key} was not asked for`)
  const holders = operand.holders.filter((peerId) => peerId !== submitter)
  const sources = [...holders, submitter].map((peerId) => ({ jobId, peerId, isSubmitter: peerId === submitter }))
  return { hash: operand.hash, sources }
}
