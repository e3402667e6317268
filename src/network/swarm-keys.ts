import { hkdfSync } from 'node:crypto'
import { base32 } from 'multiformats/bases/base32'

const SWARM_ID_BYTES = 16
const PROLOGUE_BYTES = 32
const RENDEZVOUS_BYTES = 32

/** Everything that a swarm's secret decides; only {@link SwarmKeys.noisePrologue} is itself secret. */
export interface SwarmKeys {
  /** Public name of the swarm: 26 characters of lower-case base32. */
  readonly swarmId: string
  /** 32 bytes that both ends of a Noise handshake mix in; without them no connection is made. */
  readonly noisePrologue: Uint8Array
  /** 32 bytes under which members provide themselves in the DHT. */
  readonly rendezvousDigest: Uint8Array
  readonly advertTopic: string
  readonly ledgerTopic: string
  readonly kadProtocol: string
  readonly mdnsServiceTag: string
}

/** Derives a swarm's keys and names from its 32-byte secret by HKDF-SHA256, one label each. */
export function deriveSwarmKeys(secret: Uint8Array): SwarmKeys {
  const swarmId = base32.baseEncode(derive(secret, 'swarm/1/id', SWARM_ID_BYTES))
  return {
    swarmId,
    noisePrologue: derive(secret, 'swarm/1/noise-prologue', PROLOGUE_BYTES),
    rendezvousDigest: derive(secret, 'swarm/1/rendezvous', RENDEZVOUS_BYTES),
    advertTopic: `/swarm/${swarmId}/advert/1`,
    ledgerTopic: `/swarm/${swarmId}/ledger/1`,
    kadProtocol: `/swarm/${swarmId}/kad/1.0.0`,
    mdnsServiceTag: `_${swarmId}._swarm._udp.local`
  }
}

function derive(secret: Uint8Array, label: string, byteLength: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, new Uint8Array(0), label, byteLength))
}
