import { yamux } from '@chainsafe/libp2p-yamux'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { Libp2p, PrivateKey, ServiceMap } from '@libp2p/interface'
import { type KadDHT, kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { mdns } from '@libp2p/mdns'
import { type Ping, ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import type { Datastore } from 'interface-datastore'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'
import { SwarmError } from '../errors.ts'
import type { SwarmKeys } from './swarm-keys.ts'
import { swarmNoise } from './swarm-noise.ts'

/** Where a peer listens unless told otherwise: plain TCP for peers, WebSockets for browsers, any free port. */
export const LISTEN_DEFAULT: readonly string[] = ['/ip4/0.0.0.0/tcp/0', '/ip4/0.0.0.0/tcp/0/ws']
/** Most open connections; each peer takes two (control and bulk). */
export const CONNECTIONS_MAX = 512
/** Most connections that one peer may hold open to us: control and bulk, each twice for simultaneous dials. */
export const CONNECTIONS_PER_PEER_MAX = 4
/** Inbound connections a second from one address; a whole swarm may start at once behind one router. */
export const INBOUND_PER_SECOND_MAX = 100
/** Inbound connections that have not finished their handshake. */
export const INBOUND_PENDING_MAX = 128
/** Time for an inbound connection to finish its handshake; an outsider holds a pending place no longer. */
export const INBOUND_UPGRADE_TIMEOUT_MS = 5_000
/**
 * How often a connection is tried. Each try opens a stream, and in a swarm of N everybody has N connections: once a
 * second kept 20 peers on one machine busy with nothing else.
 */
export const CONNECTION_PING_INTERVAL_MS = 10_000
/**
 * Shortest wait for a ping's answer: on the bulk connection it queues behind megabytes, which take seconds on a slow
 * uplink or a busy machine. Leases notice a silent peer sooner, by their own heartbeats.
 */
export const CONNECTION_PING_TIMEOUT_MS = 30_000
/** Longest gossip message, in bytes; gossipsub drops what is much longer without an error. */
export const GOSSIP_MESSAGE_BYTES_MAX = 16 * 1024
/** Longest gossip frame: several messages and the control lists, in bytes. */
export const GOSSIP_FRAME_BYTES_MAX = 256 * 1024
/** Most bytes queued for one slow gossip neighbour. */
export const GOSSIP_QUEUE_BYTES_MAX = 1024 * 1024
/** Largest yamux window of a stream, in bytes; must stay below the 4 MiB read buffer so that a paused stream lives. */
export const STREAM_WINDOW_BYTES_MAX = 2 * 1024 * 1024
/** Most streams that one connection may have open in each direction. */
export const STREAMS_PER_CONNECTION_MAX = 256

/** What every swarm node runs beside the services that the caller adds. */
export interface SwarmNodeServices extends ServiceMap {
  readonly identify: Identify
  readonly ping: Ping
  readonly pubsub: GossipSub
  readonly dht: KadDHT
}

/** A started libp2p node that only members of its swarm can talk to. */
export type SwarmNode<T extends ServiceMap = ServiceMap> = Libp2p<SwarmNodeServices & T>

/** What {@link createSwarmNode} needs. */
export interface SwarmNodeOptions<T extends ServiceMap = ServiceMap> {
  readonly privateKey: PrivateKey
  readonly keys: SwarmKeys
  /** Multiaddrs; default {@link LISTEN_DEFAULT}. */
  readonly listen?: readonly string[]
  /** Kept across restarts: peer store and DHT records; in memory when absent. */
  readonly datastore?: Datastore
  readonly mdns: boolean
  /** What identify tells others about this peer. */
  readonly userAgent?: string
  /** The swarm's own protocols, as libp2p service factories. */
  readonly services?: ServiceFactoryMap<T>
}

/** Creates and starts a node. The caller stops it. */
export async function createSwarmNode<T extends ServiceMap = ServiceMap>(
  options: SwarmNodeOptions<T>
): Promise<SwarmNode<T>> {
  const { keys } = options
  const node: SwarmNode<T> = await createLibp2p({
    privateKey: options.privateKey,
    ...(options.userAgent === undefined ? {} : { nodeInfo: { userAgent: options.userAgent } }),
    ...(options.datastore === undefined ? {} : { datastore: options.datastore }),
    addresses: { listen: [...(options.listen ?? LISTEN_DEFAULT)] },
    transports: [tcp(), webSockets()],
    // Noise alone: its prologue is the gate of the swarm.
    connectionEncrypters: [swarmNoise(keys.noisePrologue)],
    streamMuxers: [
      yamux({
        maxInboundStreams: STREAMS_PER_CONNECTION_MAX,
        maxOutboundStreams: STREAMS_PER_CONNECTION_MAX,
        streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX }
      })
    ],
    peerDiscovery: options.mdns ? [mdns({ serviceTag: keys.mdnsServiceTag })] : [],
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_PER_SECOND_MAX,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      inboundUpgradeTimeout: INBOUND_UPGRADE_TIMEOUT_MS
    },
    connectionMonitor: {
      pingInterval: CONNECTION_PING_INTERVAL_MS,
      pingTimeout: { minTimeout: CONNECTION_PING_TIMEOUT_MS }
    },
    connectionGater: {
      // Members on one LAN have private addresses, so every address may be dialled.
      denyDialMultiaddr: () => false,
      denyInboundUpgradedConnection: (peerId) => node.getConnections(peerId).length >= CONNECTIONS_PER_PEER_MAX
    },
    services: { ...coreServices(keys), ...options.services } as unknown as ServiceFactoryMap<SwarmNodeServices & T>
  })
  return node
}

function coreServices(keys: SwarmKeys): ServiceFactoryMap<SwarmNodeServices> {
  return {
    identify: identify(),
    ping: ping(),
    pubsub: gossipsub({
      allowedTopics: [keys.advertTopic, keys.ledgerTopic],
      allowPublishToZeroTopicPeers: true,
      maxInboundDataLength: GOSSIP_FRAME_BYTES_MAX,
      maxOutboundBufferSize: GOSSIP_QUEUE_BYTES_MAX,
      // Peers behind one router share an address; the default weight would graylist them without a word.
      scoreParams: { IPColocationFactorWeight: 0 },
      // Each neighbour forwards each message: without this, the signature of every copy is checked on the main thread.
      fastMsgIdFn: ({ signature }) => Buffer.from(signature ?? []).toString('latin1'),
      dataTransform: { inboundTransform: limitGossip, outboundTransform: limitGossip }
    }),
    dht: kadDHT({
      protocol: keys.kadProtocol,
      clientMode: false,
      // The default strips private addresses, which are all that a LAN has.
      peerInfoMapper: passthroughMapper
    })
  } as ServiceFactoryMap<SwarmNodeServices>
}

/** Refuses long messages by name in both directions; gossipsub itself only loses them. */
function limitGossip(topic: string, data: Uint8Array): Uint8Array {
  if (data.byteLength > GOSSIP_MESSAGE_BYTES_MAX) {
    throw new SwarmError(
      'GOSSIP_TOO_LONG',
      `gossip on ${topic} has ${data.byteLength} bytes, expected at most ${GOSSIP_MESSAGE_BYTES_MAX}`
    )
  }
  return data
}
