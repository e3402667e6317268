import { networkInterfaces } from 'node:os'
import type { Connection, Stream } from '@libp2p/interface'
import { PING_PROTOCOL } from '@libp2p/ping'
import { multiaddr } from '@multiformats/multiaddr'
import type { BulkConnections } from '../network/bulk-connection.ts'
import { widenBulkWindow } from '../network/bulk-window.ts'
import type { SwarmNode } from '../network/create-node.ts'
import type { LinkMeasure } from '../store/measure-store.ts'

// A peer's link is measured with libp2p's own ping, which every node serves: it gives back what it is sent. So there is
// nothing that a member could make another send beyond what it sends itself; libp2p serves two streams of a connection,
// for ten seconds each.

/** Bytes sent to a peer, and expected back. */
export const PROBE_BYTES = 1024 * 1024
/** Peers that are measured at a time. */
export const PROBED_PEERS_MAX = 8
/** Longest that all links together are measured, in ms. */
export const PROBES_MS_MAX = 300
/** Of that, for opening the connections. */
const OPEN_MS_MAX = 150
/** What has to be back for a speed to mean anything, in bytes: more than one read. */
const ANSWER_BYTES_MIN = 32 * 1024
const SEND_BYTES = 64 * 1024

/** A stream to a peer on a connection of its own. */
interface Probe {
  readonly peerId: string
  /** As libp2p's own small pings see it, in ms; what is behind a probe waits for it. */
  readonly rttMs?: number
  readonly stream: Stream
  readonly connection: Connection
}

/**
 * Measures links one after the other, each on a connection of its own, so that none takes another's share and no
 * heartbeat waits behind a probe. Takes {@link PROBES_MS_MAX} at most.
 *
 * @param controls connections of the peers; the first {@link PROBED_PEERS_MAX} are measured
 * @returns what was measured by peer id; a peer that did not answer in time, or cannot be dialled, is not in it
 * @throws the signal's reason
 */
export async function measureLinks(
  node: SwarmNode,
  bulk: BulkConnections,
  controls: readonly Connection[],
  { signal }: { signal: AbortSignal }
): Promise<ReadonlyMap<string, LinkMeasure>> {
  const asked = controls.slice(0, PROBED_PEERS_MAX)
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(PROBES_MS_MAX)])
  const opening = AbortSignal.any([inTime, AbortSignal.timeout(OPEN_MS_MAX)])
  const opened = await Promise.all(asked.map((control) => openProbe(node, bulk, control, opening)))
  const probes = opened.flatMap((probe) => probe ?? [])
  const measured = new Map<string, LinkMeasure>()
  const eachMs = (PROBES_MS_MAX - OPEN_MS_MAX) / Math.max(1, probes.length)
  try {
    for (const { peerId, rttMs, stream } of probes) {
      const link = await echo(stream, AbortSignal.any([inTime, AbortSignal.timeout(Math.ceil(eachMs))]))
      if (link !== undefined)
        measured.set(peerId, { ...link, latencyMs: Math.min(link.latencyMs, rttMs ?? link.latencyMs) })
    }
  } finally {
    for (const { connection } of probes) connection.abort(new Error('the link was measured'))
  }
  signal.throwIfAborted()
  return measured
}

/** Whether a multiaddr is one of this machine's own, so that who has it shares its cores. */
export function isThisMachine(address: string): boolean {
  const host = multiaddr(address)
    .getComponents()
    .find(({ name }) => name === 'ip4' || name === 'ip6')?.value
  if (host === undefined) return false
  if (host.startsWith('127.') || host === '::1') return true
  return Object.values(networkInterfaces()).some((own) => own?.some((entry) => entry.address === host))
}

/** @returns undefined where there is no connection for the probe alone */
async function openProbe(
  node: SwarmNode,
  bulk: BulkConnections,
  control: Connection,
  signal: AbortSignal
): Promise<Probe | undefined> {
  try {
    const { connection, dedicated } = await bulk.open(node, control, { signal })
    if (!dedicated) return undefined
    try {
      const stream = await connection.newStream(PING_PROTOCOL, { signal })
      widenBulkWindow(stream)
      const { remotePeer, rtt } = control
      return { peerId: remotePeer.toString(), stream, connection, ...(rtt !== undefined && { rttMs: rtt }) }
    } catch (error) {
      connection.abort(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  } catch {
    // A link that cannot be measured is assumed, and the plan says so.
    return undefined
  }
}

/** Sends the probe and times what comes back, until all is there or the time is over. */
async function echo(stream: Stream, signal: AbortSignal): Promise<LinkMeasure | undefined> {
  const done = Promise.withResolvers<void>()
  const startedMs = performance.now()
  let [firstMs, lastMs, firstBytes, receivedBytes] = [0, 0, 0, 0]
  const onMessage = ({ data }: { data: { byteLength: number } }): void => {
    lastMs = performance.now()
    if (receivedBytes === 0) [firstMs, firstBytes] = [lastMs, data.byteLength]
    receivedBytes += data.byteLength
    if (receivedBytes >= PROBE_BYTES) done.resolve()
  }
  stream.addEventListener('message', onMessage)
  stream.addEventListener('close', () => done.resolve(), { once: true })
  signal.addEventListener('abort', () => done.resolve(), { once: true })
  if (signal.aborted) done.resolve()
  // A stream that ends while it is sent on has been timed as far as it came.
  send(stream, signal).catch(() => done.resolve())
  await done.promise
  stream.removeEventListener('message', onMessage)
  const restBytes = receivedBytes - firstBytes
  if (restBytes < ANSWER_BYTES_MIN || lastMs <= firstMs) return undefined
  return { bytesPerSecond: (restBytes * 1e3) / (lastMs - firstMs), latencyMs: firstMs - startedMs }
}

async function send(stream: Stream, signal: AbortSignal): Promise<void> {
  for (let sentBytes = 0; sentBytes < PROBE_BYTES && !signal.aborted; sentBytes += SEND_BYTES) {
    if (!stream.send(new Uint8Array(SEND_BYTES))) await stream.onDrain({ signal })
  }
}
