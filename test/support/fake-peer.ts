import type { Connection, PeerId } from '@libp2p/interface'

/** A peer id that is nothing but its text. */
export function fakePeerId(name: string): PeerId {
  const peerId: Pick<PeerId, 'toString'> = { toString: () => name }
  return peerId as PeerId
}

/** A connection that is nothing but its far end and its state. */
export function fakeConnection(name: string, status: Connection['status'] = 'open'): Connection {
  const connection: Pick<Connection, 'remotePeer' | 'status' | 'close'> = {
    remotePeer: fakePeerId(name),
    status,
    close: async () => undefined
  }
  return connection as Connection
}
