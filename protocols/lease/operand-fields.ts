import { OPERAND_BYTES_MAX } from '../wire/constants.ts'
import { checkCount, checkHash, checkJobId, checkPeerId, checkUint } from '../wire/fields.ts'
import { WireError } from '../wire/wire-error.ts'
import { OPERAND_CHANGES_MAX, OPERAND_HOLDERS_MAX, OPERANDS_PER_GRANT_MAX, UINT32_MAX } from './constants.ts'
import type { GrantOperand, OperandChanges } from './types.ts'

/** The blocks of one grant. @throws WireError MESSAGE_MALFORMED */
export function checkOperands(operands: readonly GrantOperand[]): readonly GrantOperand[] {
  checkCount('grant.operands', operands, OPERANDS_PER_GRANT_MAX)
  checkDistinct(
    'grant.operands',
    operands.map(({ index }) => index)
  )
  return operands.map(checkOperand)
}

/** What a worker says that it holds now. @throws WireError MESSAGE_MALFORMED */
export function checkOperandChanges({ jobId, added, dropped }: OperandChanges): OperandChanges {
  const indexes = [...added, ...dropped]
  checkCount('operands.added and dropped', indexes, OPERAND_CHANGES_MAX)
  checkDistinct('operands.added and dropped', indexes)
  for (const index of indexes) checkUint('operands.added and dropped', index, { max: UINT32_MAX })
  return { jobId: checkJobId('operands.jobId', jobId), added, dropped }
}

function checkOperand({ index, hash, byteLength, holders }: GrantOperand): GrantOperand {
  checkCount('operand.holders', holders, OPERAND_HOLDERS_MAX)
  checkDistinct('operand.holders', holders)
  return {
    index: checkUint('operand.index', index, { max: UINT32_MAX }),
    hash: checkHash('operand.hash', hash),
    byteLength: checkUint('operand.byteLength', byteLength, { min: 1, max: OPERAND_BYTES_MAX }),
    holders: holders.map((holder) => checkPeerId('operand.holders', holder))
  }
}

function checkDistinct(name: string, items: readonly (number | string)[]): void {
  if (new Set(items).size === items.length) return
  throw new WireError('MESSAGE_MALFORMED', `${name}: expected each once, and one came twice`)
}
