import type { PeerId } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { type Clock, sleepOrAbort } from '../domain/clock.ts'
import { untilAborted } from './aborted.ts'
import { backoffMs } from './backoff.ts'
import type { SwarmNode } from './create-node.ts'
import type { SwarmKeys } from './swarm-keys.ts'

/** Time for one announcement or one lookup in the DHT. */
export const LOOKUP_TIMEOUT_MS = 10_000
/** Wait between two lookups once members were found. */
export const LOOKUP_INTERVAL_MS = 300_000

const RAW_CODEC = 0x55
const SHA2_256 = 0x12

/** What {@link findMembers} needs. */
export interface RendezvousOptions {
  readonly keys: SwarmKeys
  readonly clock: Clock
  readonly random: () => number
  readonly onMember: (peerId: PeerId) => void
  readonly onProvided: () => void
  readonly onFailure: (error: Error, retryMs: number) => void
  readonly signal: AbortSignal
}

/**
 * Announces this peer in the swarm's own DHT and reports the members that it knows, again and again until the signal
 * aborts. It begins with the first connection: before that there is no DHT to ask.
 */
export async function findMembers(node: SwarmNode, options: RendezvousOptions): Promise<void> {
  const { clock, random, signal } = options
  const key = rendezvousKey(options.keys)
  await untilAborted(firstConnection(node, signal), signal)
  let attempt = 0
  while (!signal.aborted) {
    let found = 0
    let failure: Error | undefined
    try {
      found = await lookUp(node, key, options)
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
    }
    if (signal.aborted) {
      return
    }
    // The table of a young DHT is empty, so nothing found is tried again as a failure is.
    attempt = found > 0 ? 0 : attempt + 1
    const waitMs = found > 0 ? LOOKUP_INTERVAL_MS : backoffMs(attempt, random)
    if (failure !== undefined) {
      options.onFailure(failure, waitMs)
    }
    await sleepOrAbort(clock, waitMs, signal)
  }
}

/** Where members of the swarm provide themselves. */
export function rendezvousKey(keys: SwarmKeys): CID {
  return CID.createV1(RAW_CODEC, createDigest(SHA2_256, keys.rendezvousDigest))
}

/** @returns how many other members were found. */
async function lookUp(node: SwarmNode, key: CID, options: RendezvousOptions): Promise<number> {
  const within = () => ({ signal: AbortSignal.any([options.signal, AbortSignal.timeout(LOOKUP_TIMEOUT_MS)]) })
  await node.contentRouting.provide(key, within())
  options.onProvided()
  let found = 0
  for await (const { id } of node.contentRouting.findProviders(key, within())) {
    if (!id.equals(node.peerId)) {
      found++
      options.onMember(id)
    }
  }
  return found
}

async function firstConnection(node: SwarmNode, signal: AbortSignal): Promise<void> {
  if (node.getConnections().length > 0) {
    return
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onOpen = (): void => resolve()
  const onAbort = (): void => reject(signal.reason)
  node.addEventListener('connection:open', onOpen, { once: true })
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    await promise
  } finally {
    node.removeEventListener('connection:open', onOpen)
    signal.removeEventListener('abort', onAbort)
  }
}
