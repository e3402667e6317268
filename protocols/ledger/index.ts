import type { Startable } from '@libp2p/interface'
import { Ledger, type LedgerComponents, type LedgerInit } from './service.ts'
import type { LedgerService } from './types.ts'

/** The ledger protocol as a libp2p service. The node needs gossipsub as its service `pubsub`. */
export function ledgerService(init: LedgerInit): (components: LedgerComponents) => LedgerService & Startable {
  return (components) => new Ledger(components, init)
}

export * from './constants.ts'
export type { LedgerComponents, LedgerInit } from './service.ts'
export type * from './types.ts'
