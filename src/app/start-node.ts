import type { ServiceFactoryMap } from 'libp2p'
import { type SwarmServices, swarmServices } from '../../protocols/index.ts'
import type { BulkConnections } from '../network/bulk-connection.ts'
import { widenBulkWindow } from '../network/bulk-window.ts'
import { createSwarmNode, LISTEN_DEFAULT, type SwarmNode } from '../network/create-node.ts'
import { recycle } from '../network/recycle.ts'
import type { SwarmKeys } from '../network/swarm-keys.ts'
import { libp2pPrivateKey } from '../store/identity.ts'
import { Libp2pDatastore } from '../store/libp2p-datastore.ts'
import { agentOf } from './members.ts'
import type { OpenHome } from './open-home.ts'

/** Version that this program tells others. */
const VERSION = '0.1.0'

/** A started node and what stops it. */
export interface StartedNode {
  readonly node: SwarmNode<SwarmServices>
  stop(): Promise<void>
}

/** Starts libp2p with every protocol of the swarm. */
export async function startNode(
  home: OpenHome,
  keys: SwarmKeys,
  bulk: BulkConnections,
  options: { readonly listen: readonly string[]; readonly mdns: boolean }
): Promise<StartedNode> {
  const datastore = new Libp2pDatastore(home.paths.datastore)
  const node = await createSwarmNode<SwarmServices>({
    privateKey: await libp2pPrivateKey(home.identity),
    keys,
    listen: options.listen.length > 0 ? options.listen : LISTEN_DEFAULT,
    datastore,
    mdns: options.mdns,
    userAgent: agentOf(VERSION, home.name),
    // libp2p's type of a service factory does not know the services that the node itself adds (pubsub among them).
    services: swarmServices({
      swarmId: keys.swarmId,
      recycle,
      prepare: (stream, connection) => {
        widenBulkWindow(stream)
        bulk.mark(connection)
      }
    }) as unknown as ServiceFactoryMap<SwarmServices>
  })
  return {
    node,
    stop: async () => {
      await node.stop()
      datastore.close()
    }
  }
}
