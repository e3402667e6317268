import type { ServiceFactoryMap } from 'libp2p'
import { type SwarmServices, swarmServices } from '../../protocols/index.ts'
import type { BulkConnections } from '../network/bulk-connection.ts'
import { widenBulkWindow } from '../network/bulk-window.ts'
import { lanesOf } from '../network/connection-lanes.ts'
import { createSwarmNode, LISTEN_DEFAULT, type SwarmNode } from '../network/create-node.ts'
import { recycle } from '../network/recycle.ts'
import type { SwarmKeys } from '../network/swarm-keys.ts'
import { libp2pPrivateKey } from '../store/identity.ts'
import { Libp2pDatastore } from '../store/libp2p-datastore.ts'
import { keepListen, keptListen } from './kept-listen.ts'
import { agentOf } from './members.ts'
import type { OpenHome } from './open-home.ts'

/** Version that this program tells others. */
const VERSION = '0.1.0'

/** A started node and what stops it. */
export interface StartedNode {
  readonly node: SwarmNode<SwarmServices>
  stop(): Promise<void>
}

/** How a node is started. */
export interface StartOptions {
  /** Multiaddrs; empty: the defaults. */
  readonly listen: readonly string[]
  readonly mdns: boolean
  /** Whether a default start takes the ports of last time. */
  readonly keepPorts: boolean
}

/** Starts libp2p with every protocol of the swarm. */
export async function startNode(
  home: OpenHome,
  keys: SwarmKeys,
  bulk: BulkConnections,
  options: StartOptions
): Promise<StartedNode> {
  const datastore = new Libp2pDatastore(home.paths.datastore)
  const privateKey = await libp2pPrivateKey(home.identity)
  const start = (listen: readonly string[]) =>
    createSwarmNode<SwarmServices>({
      privateKey,
      keys,
      listen,
      datastore,
      mdns: options.mdns,
      userAgent: agentOf(VERSION, home.name),
      // libp2p's type of a service factory does not know the services that the node itself adds (pubsub among them).
      services: swarmServices({
        swarmId: keys.swarmId,
        recycle,
        lanes: lanesOf,
        prepare: (stream, connection) => {
          widenBulkWindow(stream)
          bulk.mark(connection)
        }
      }) as unknown as ServiceFactoryMap<SwarmServices>
    })
  const node = await listening(home, options, start)
  return {
    node,
    stop: async () => {
      await node.stop()
      datastore.close()
    }
  }
}

async function listening<Node extends SwarmNode>(
  home: OpenHome,
  { listen, keepPorts }: StartOptions,
  start: (listen: readonly string[]) => Promise<Node>
): Promise<Node> {
  if (listen.length > 0 || !keepPorts) return start(listen.length > 0 ? listen : LISTEN_DEFAULT)
  const { folder } = home.paths
  const kept = keptListen(folder)
  // libp2p says only that it could not listen, not why; any free ports are better than none.
  const node = kept === LISTEN_DEFAULT ? await start(kept) : await start(kept).catch(() => start(LISTEN_DEFAULT))
  keepListen(folder, node.getMultiaddrs())
  return node
}
