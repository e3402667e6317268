import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, ServiceMap } from '@libp2p/interface'
import { createSwarmNode, type SwarmNode, type SwarmNodeOptions } from '../../../src/network/create-node.ts'
import { deriveSwarmKeys } from '../../../src/network/swarm-keys.ts'

/** A swarm of its own for each number. */
export function testKeys(swarm: number) {
  return deriveSwarmKeys(new Uint8Array(32).fill(swarm))
}

/** Starts nodes on 127.0.0.1 and stops them all with `await using`. */
export class TestNodes implements AsyncDisposable {
  readonly #nodes: Libp2p[] = []

  async member<T extends ServiceMap = ServiceMap>(
    swarm = 1,
    options: Partial<SwarmNodeOptions<T>> = {}
  ): Promise<SwarmNode<T>> {
    const node = await createSwarmNode<T>({
      privateKey: await generateKeyPair('Ed25519'),
      keys: testKeys(swarm),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      mdns: false,
      ...options
    })
    return this.add(node)
  }

  add<T extends Libp2p>(node: T): T {
    this.#nodes.push(node)
    return node
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map(async (node) => node.stop()))
  }
}
