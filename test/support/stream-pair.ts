import { noise } from '@chainsafe/libp2p-noise'
import { yamux } from '@chainsafe/libp2p-yamux'
import type { Connection, Libp2p, ServiceMap, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type ServiceFactoryMap } from 'libp2p'

/** The largest yamux window that a paused stream survives; the program uses the same. */
const STREAM_WINDOW_BYTES_MAX = 2 * 1024 * 1024

/** Two libp2p nodes on the loopback, connected by TCP, Noise and yamux. */
export interface NodePair<T extends ServiceMap> {
  readonly dialer: Libp2p<T>
  readonly listener: Libp2p<T>
  /** The dialer's end of the connection. */
  readonly connection: Connection
  /** Opens a connection of its own, as bulk does. */
  dial(): Promise<Connection>
  stop(): Promise<void>
}

/** Both ends of one stream. */
export interface StreamPair {
  readonly outbound: Stream
  readonly inbound: Stream
  readonly connection: Connection
}

/** Starts two nodes with the same services and connects them. */
export async function connectNodes<T extends ServiceMap>(services: ServiceFactoryMap<T>): Promise<NodePair<T>> {
  const [dialer, listener] = await Promise.all([startNode(services, []), startNode(services, ['/ip4/127.0.0.1/tcp/0'])])
  const dial = (): Promise<Connection> => dialer.dial(listener.getMultiaddrs(), { force: true })
  return {
    dialer,
    listener,
    connection: await dial(),
    dial,
    stop: async () => {
      // A graceful close waits half a second for streams that tests leave open.
      for (const open of dialer.getConnections()) open.abort(new Error('the test is over'))
      await Promise.all([dialer.stop(), listener.stop()])
    }
  }
}

/** Opens a raw stream for a test protocol; `onInbound` runs synchronously in the handler, as ours must. */
export async function openStreamPair<T extends ServiceMap>(
  pair: NodePair<T>,
  protocol: string,
  onInbound: (stream: Stream) => void = () => undefined
): Promise<StreamPair> {
  const arrived = Promise.withResolvers<Stream>()
  await pair.listener.handle(
    protocol,
    (stream) => {
      onInbound(stream)
      arrived.resolve(stream)
    },
    { force: true }
  )
  const outbound = await pair.connection.newStream(protocol)
  return { outbound, inbound: await arrived.promise, connection: pair.connection }
}

function startNode<T extends ServiceMap>(services: ServiceFactoryMap<T>, listen: string[]): Promise<Libp2p<T>> {
  const node = createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES_MAX } })],
    connectionGater: { denyDialMultiaddr: () => false },
    services: services as ServiceFactoryMap
  })
  return node as unknown as Promise<Libp2p<T>>
}
