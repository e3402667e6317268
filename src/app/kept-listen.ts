import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Multiaddr } from '@multiformats/multiaddr'
import { LISTEN_DEFAULT } from '../network/create-node.ts'

// A joined peer listens on the ports of last time, so that join codes and what others remember of it stay good. The
// first start takes any free ports; when one is taken by somebody else, so does a later one.

const FILE_NAME = 'listen.json'
const WILDCARD = /^\/ip4\/0\.0\.0\.0\/tcp\/[1-9]\d{0,4}(\/ws)?$/

/** @returns the multiaddrs of last time, or {@link LISTEN_DEFAULT} */
export function keptListen(homeFolder: string): readonly string[] {
  try {
    const kept: unknown = JSON.parse(readFileSync(join(homeFolder, FILE_NAME), 'utf8'))
    const isSound =
      Array.isArray(kept) && kept.every((address) => typeof address === 'string' && WILDCARD.test(address))
    return isSound && kept.length === LISTEN_DEFAULT.length ? kept : LISTEN_DEFAULT
  } catch {
    // Not there yet, or damaged: any ports do.
    return LISTEN_DEFAULT
  }
}

/** Remembers the ports that a node got for {@link LISTEN_DEFAULT}. */
export function keepListen(homeFolder: string, addresses: readonly Multiaddr[]): void {
  const ports = { tcp: portOf(addresses, false), ws: portOf(addresses, true) }
  if (ports.tcp === undefined || ports.ws === undefined) return
  const kept = [`/ip4/0.0.0.0/tcp/${ports.tcp}`, `/ip4/0.0.0.0/tcp/${ports.ws}/ws`]
  writeFileSync(join(homeFolder, FILE_NAME), `${JSON.stringify(kept)}\n`)
}

function portOf(addresses: readonly Multiaddr[], isWebSocket: boolean): string | undefined {
  const address = addresses.map(String).find((text) => text.startsWith('/ip4/') && text.includes('/ws') === isWebSocket)
  return address?.match(/\/tcp\/(\d+)/)?.[1]
}
