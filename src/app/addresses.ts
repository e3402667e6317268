import type { Multiaddr } from '@multiformats/multiaddr'

/** Orders a node's own addresses for others: reachable from other machines first, plain TCP before WebSockets. */
export function bestFirst(addresses: readonly Multiaddr[]): Multiaddr[] {
  return [...addresses].sort((a, b) => rank(a) - rank(b))
}

function rank(address: Multiaddr): number {
  const text = address.toString()
  const isLoopback = /^\/(ip4\/127\.|ip6\/::1\/|dns4\/localhost)/.test(text)
  const isWebSocket = text.includes('/ws')
  const isIp6 = text.startsWith('/ip6/')
  return (isLoopback ? 4 : 0) + (isWebSocket ? 2 : 0) + (isIp6 ? 1 : 0)
}
