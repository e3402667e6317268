import type { Startable } from '@libp2p/interface'
import type { ProtocolComponents } from '../wire/bulk-acceptor.ts'
import { type OperandOptions, OperandProtocol } from './server.ts'
import type { OperandService } from './types.ts'

export { OPERAND_NAMES_MAX, OPERAND_PROTOCOL } from './constants.ts'
export type { OperandOptions } from './server.ts'
export type { OperandClient, OperandHandler, OperandRange, OperandService } from './types.ts'

/** The operand protocol as a libp2p service factory. */
export function operandService(
  options: OperandOptions = {}
): (components: ProtocolComponents) => OperandService & Startable {
  return (components) => new OperandProtocol(components, options)
}
