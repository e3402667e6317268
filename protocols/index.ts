import type { Connection, Startable, Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { advertService } from './advert/index.ts'
import type { AdvertComponents } from './advert/service.ts'
import type { AdvertService } from './advert/types.ts'
import { chunkService } from './chunk/index.ts'
import type { ChunkService } from './chunk/types.ts'
import { leaseService } from './lease/index.ts'
import type { LeaseComponents } from './lease/service.ts'
import type { LeaseService } from './lease/types.ts'
import { ledgerService } from './ledger/index.ts'
import type { LedgerComponents } from './ledger/service.ts'
import type { LedgerService } from './ledger/types.ts'
import { operandService } from './operand/index.ts'
import type { OperandService } from './operand/types.ts'
import { resultService } from './result/index.ts'
import type { ResultService } from './result/types.ts'
import type { ProtocolComponents } from './wire/bulk-acceptor.ts'
import type { LanePort } from './wire/lane.ts'

/** Every protocol, by the name of its libp2p service. */
export interface SwarmServices extends Record<string, unknown> {
  readonly advert: AdvertService & Startable
  readonly lease: LeaseService & Startable
  readonly chunk: ChunkService & Startable
  readonly operand: OperandService & Startable
  readonly result: ResultService & Startable
  readonly ledger: LedgerService & Startable
}

/** What all protocols together need of libp2p. */
export type SwarmComponents = AdvertComponents & LeaseComponents & LedgerComponents & ProtocolComponents

/** What all protocols together are told. */
export interface SwarmServicesInit {
  /** Public id of the swarm, which scopes the gossip topics. */
  readonly swarmId: string
  /** Takes received bulk bytes back once they were copied, where the transport can use them again. */
  readonly recycle?: (data: Uint8Array | Uint8ArrayList) => void
  /** Sets the flow control of a bulk stream, once, before anything is sent. */
  readonly prepare?: (stream: Stream, connection: Connection) => void
  /** The lanes of a connection, where it can have some. */
  readonly lanes?: (connection: Connection) => LanePort | undefined
}

/** A factory for each service, as libp2p's `services` option takes them. */
export type SwarmServiceFactories = {
  readonly [Name in keyof SwarmServices as string extends Name ? never : Name]: (
    components: SwarmComponents
  ) => SwarmServices[Name]
}

/**
 * Every protocol as a libp2p service. The node also needs gossipsub as its service `pubsub`, and identify.
 */
export function swarmServices(init: SwarmServicesInit): SwarmServiceFactories {
  return {
    advert: advertService(init),
    lease: leaseService(),
    chunk: chunkService(init),
    operand: operandService(init),
    result: resultService(init),
    ledger: ledgerService(init)
  }
}
