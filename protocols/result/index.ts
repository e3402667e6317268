import type { Startable } from '@libp2p/interface'
import type { ProtocolComponents } from '../wire/bulk-acceptor.ts'
import type { BulkOptions } from '../wire/bulk-stream.ts'
import { ResultProtocol } from './server.ts'
import type { ResultService } from './types.ts'

export { OFFERS_OPEN_MAX, RESULT_PROTOCOL } from './constants.ts'
export type { IncomingOffer, OfferOptions, OfferOutcome, ResultClient, ResultHandler, ResultService } from './types.ts'

/** The result protocol as a libp2p service factory. */
export function resultService(
  options: BulkOptions = {}
): (components: ProtocolComponents) => ResultService & Startable {
  return (components) => new ResultProtocol(components, options)
}
