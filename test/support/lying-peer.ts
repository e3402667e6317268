// A member that computes falsely: a real peer of the real protocols, whose kernel flips one bit of every result.
import { Contacts } from '../../src/app/contacts.ts'
import { Members } from '../../src/app/members.ts'
import { EnvelopeDesk } from '../../src/app/open-envelopes.ts'
import { openHome } from '../../src/app/open-home.ts'
import { startNode } from '../../src/app/start-node.ts'
import { workerPorts } from '../../src/app/worker-ports.ts'
import { KernelPool } from '../../src/compute/compute-pool.ts'
import { contentHash } from '../../src/content-hash.ts'
import { BufferPool } from '../../src/domain/buffer-pool.ts'
import type { ComputePool } from '../../src/domain/compute.ts'
import { BulkConnections } from '../../src/network/bulk-connection.ts'
import { deriveSwarmKeys } from '../../src/network/swarm-keys.ts'
import { LedgerStore } from '../../src/store/ledger-store.ts'
import { createSigner, createVerifier } from '../../src/store/notary.ts'
import { Worker } from '../../src/worker/join-swarm.ts'

/** A running liar. */
export interface LyingPeer {
  readonly peerId: string
  stop(): Promise<void>
}

/** Joins a swarm in this process, and waits until it is connected. */
export async function startLyingPeer(folder: string, code: string): Promise<LyingPeer> {
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const home = openHome({ home: folder, role: 'joined', code, name: 'liar', peers: [], listen, mdns: false })
  const keys = deriveSwarmKeys(home.membership.secret)
  const bulk = new BulkConnections()
  const { node, stop } = await startNode(home, keys, bulk, { listen, mdns: false, keepPorts: false })
  const signer = createSigner(home.identity)
  const verify = createVerifier()
  const kernels = new KernelPool(1)
  const worker = new Worker(
    workerPorts({
      device: 'cpu',
      home,
      node,
      bulk,
      peerId: node.peerId,
      compute: lying(kernels),
      buffers: new BufferPool(16 * 1024 * 1024),
      envelopes: new EnvelopeDesk(signer, verify),
      ledger: new LedgerStore(home.database, signer, verify),
      onEvent: () => undefined
    })
  )
  const connected = Promise.withResolvers<void>()
  new Members(node, bulk, home.peers, {
    onJoined: (_peerId, _name, control) => {
      worker.onConnection(control)
      connected.resolve()
    },
    onLeft: (peerId) => worker.onDisconnected(peerId)
  })
  const contacts = new Contacts(node, keys, home, () => undefined)
  worker.start()
  await contacts.start([], { signal: new AbortController().signal })
  await connected.promise
  return {
    peerId: node.peerId.toString(),
    stop: async () => {
      await worker.stop()
      await contacts.stop()
      await stop()
      await kernels.close()
      home.close()
    }
  }
}

/** The claim fits the false bytes, so only the check of the task can tell. */
function lying(honest: ComputePool): ComputePool {
  return {
    threads: 1,
    close: () => honest.close(),
    hashShared: (request, waiting) => honest.hashShared(request, waiting),
    decodeSound: (request, waiting) => honest.decodeSound(request, waiting),
    summarizePass: (request, waiting) => honest.summarizePass(request, waiting),
    concludeSegments: (request, waiting) => honest.concludeSegments(request, waiting),
    readOperands: (request, waiting) => honest.readOperands(request, waiting),
    checkTiles: (request, waiting) => honest.checkTiles(request, waiting),
    runTiles: async (request, waiting) => falsified(await honest.runTiles(request, waiting)),
    readInputs: (request, waiting) => honest.readInputs(request, waiting),
    runLocal: (request, waiting) => honest.runLocal(request, waiting),
    checkResult: (request, waiting) => honest.checkResult(request, waiting),
    runKernel: async (request, waiting) => falsified(await honest.runKernel(request, waiting))
  }
}

/** One bit in the middle, the sign or exponent of a sample: no rounding makes that. */
function falsified<Done extends { buffer: ArrayBuffer; byteLength: number }>(done: Done) {
  const bytes = new Uint8Array(done.buffer, 0, done.byteLength)
  const last = (bytes.byteLength >> 1) | 3
  bytes[last] = (bytes[last] ?? 0) ^ 1
  return { ...done, outputHash: contentHash(bytes) }
}
