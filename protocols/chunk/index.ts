import type { Startable } from '@libp2p/interface'
import type { ProtocolComponents } from '../wire/bulk-acceptor.ts'
import type { BulkOptions } from '../wire/bulk-stream.ts'
import { ChunkProtocol } from './server.ts'
import type { ChunkService } from './types.ts'

export { CHUNK_PROTOCOL } from './constants.ts'
export type { ChunkClient, ChunkHandler, ChunkService, InputRange } from './types.ts'

/** The chunk protocol as a libp2p service factory. */
export function chunkService(options: BulkOptions = {}): (components: ProtocolComponents) => ChunkService & Startable {
  return (components) => new ChunkProtocol(components, options)
}
