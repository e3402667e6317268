import type { PeerStore } from '../store/peer-store.ts'
import type { PeerView } from './api-types.ts'

/** Peers that a home remembers, as views. */
export function rememberedPeers(peers: PeerStore): PeerView[] {
  return peers.list().map(({ peerId, name, addresses, lastSeenMs }) => ({
    peerId,
    name,
    connected: false,
    addresses,
    lastSeenMs
  }))
}
