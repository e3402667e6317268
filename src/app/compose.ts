import { availableParallelism } from 'node:os'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { OperandHandler, OperandRange } from '../../protocols/operand/types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { type ApiServer, serveApi } from '../api/server.ts'
import { KernelPool } from '../compute/compute-pool.ts'
import type { Device } from '../compute/onnx-runtime.ts'
import { BufferPool } from '../domain/buffer-pool.ts'
import type { JobEvent } from '../domain/events.ts'
import { SharedBuffers } from '../domain/shared-buffers.ts'
import { SwarmError } from '../errors.ts'
import { BulkConnections } from '../network/bulk-connection.ts'
import { deriveSwarmKeys } from '../network/swarm-keys.ts'
import { LedgerStore } from '../store/ledger-store.ts'
import { createSigner, createVerifier } from '../store/notary.ts'
import { LeaseDesk } from '../submitter/lease-desk.ts'
import { OPERAND_BLOCKS_BYTES_MAX } from '../submitter/operand-blocks.ts'
import { Worker } from '../worker/join-swarm.ts'
import type { OpenOptions, PeerEvent, SwarmApp, Waiting } from './api-types.ts'
import { Contacts } from './contacts.ts'
import { FanOut } from './fan-out.ts'
import { JobRunner } from './job-runner.ts'
import { LedgerKeeper } from './ledger-keeper.ts'
import { makeJobId } from './make-job-id.ts'
import { isThisMachine } from './measure-links.ts'
import { Members } from './members.ts'
import { EnvelopeDesk } from './open-envelopes.ts'
import { type OpenHome, openHome } from './open-home.ts'
import { Peer } from './peer.ts'
import { PlanDesk } from './plan-desk.ts'
import { startNode } from './start-node.ts'
import { submitterPorts } from './submitter-ports.ts'
import { systemClock } from './system-clock.ts'
import { trimWhenIdle } from './trim-memory.ts'
import { threadsWithin, type WorkerParts, workerPorts } from './worker-ports.ts'

/** Idle chunk buffers kept by one process, in bytes. */
const BUFFERS_KEPT_BYTES_MAX = 4 * 1024 * 1024

/** Opens a home as a peer in this process. @throws SwarmError as {@link openHome}; NOT_A_MEMBER when a named peer refuses */
export async function openApp(options: OpenOptions, waiting: Waiting): Promise<SwarmApp> {
  const home = openHome(options)
  const closing = new Closing()
  closing.add(async () => home.close())
  try {
    return await composePeer(home, options, closing, waiting)
  } catch (error) {
    // What failed first is what the user can act on.
    await closing.run().catch((failure: unknown) => {
      throw error instanceof SwarmError ? error : new AggregateError([error, failure], 'the peer could not be opened')
    })
    throw error
  }
}

async function composePeer(
  home: OpenHome,
  options: OpenOptions,
  closing: Closing,
  waiting: Waiting
): Promise<SwarmApp> {
  const keys = deriveSwarmKeys(home.membership.secret)
  const events = new FanOut<PeerEvent>(({ event }) => event !== 'ready')
  const notice = (message: string) => events.publish({ event: 'notice', message })
  const threads = threadsWithin(options.memoryBytesMax, options.threads ?? availableParallelism())
  const compute = new KernelPool(threads)
  closing.add(() => compute.close())
  const device = await chooseDevice(compute, options, notice, waiting)
  const bulk = new BulkConnections()
  const { node, stop: stopNode } = await startNode(home, keys, bulk, {
    listen: options.listen,
    mdns: options.mdns,
    keepPorts: options.role === 'joined'
  })
  closing.add(stopNode)

  const signer = createSigner(home.identity)
  const verify = createVerifier()
  const envelopes = new EnvelopeDesk(signer, verify)
  const ledger = new LedgerStore(home.database, signer, verify)
  const connectionTo = (peerId: PeerId) => bulk.control(node, peerId)
  const runsJob = () => jobs.running.size > 0
  const holdsLease = () => (worker?.leaseCount ?? 0) > 0
  const keeper = new LedgerKeeper({
    service: node.services.ledger,
    store: ledger,
    clock: systemClock,
    connectionTo,
    connections: () => members.connections(),
    isBusy: () => runsJob() || holdsLease(),
    onTrouble: notice
  })
  closing.add(() => keeper.stop())

  const desk = new LeaseDesk()
  node.services.lease.setHandler(desk)
  node.services.chunk.setHandler(desk)
  node.services.result.setHandler(desk)
  const buffers = new BufferPool(BUFFERS_KEPT_BYTES_MAX)
  const shared = { home, peerId: node.peerId, compute, buffers, envelopes, ledger }
  const worker = options.role === 'joined' ? makeWorker({ ...shared, node, bulk, device }, options, events) : undefined
  node.services.operand.setHandler(operandHandler(desk, worker))

  const members: Members = new Members(node, bulk, home.peers, {
    onJoined: (peerId, name, control) => {
      events.publish({ event: 'peer-connected', peerId: peerId.toString(), name })
      keeper.onConnection(control)
      worker?.onConnection(control)
    },
    onLeft: (peerId, name) => {
      events.publish({ event: 'peer-left', peerId, name })
      worker?.onDisconnected(peerId)
    }
  })
  closing.add(async () => members.stop())
  const contacts = new Contacts(node, keys, home, notice)
  const operandMemory = new SharedBuffers(OPERAND_BLOCKS_BYTES_MAX)
  const plans = new PlanDesk({ home, node, bulk, compute, members, desk, clock: systemClock, onTrouble: notice })
  const jobs: JobRunner = new JobRunner(
    submitterPorts({
      ...shared,
      shared: operandMemory,
      advert: node.services.advert,
      isHere: (peer) => {
        const control = bulk.control(node, peerIdFromString(peer))
        return control !== undefined && isThisMachine(control.remoteAddr.toString())
      },
      connectedPeers: () => members.count,
      onInternalError: (error) => notice(`internal error: ${error instanceof Error ? error.message : String(error)}`)
    }),
    desk,
    () => makeJobId(home.identity.peerId),
    (jobId, event) => {
      publishState(events, jobId, event)
      plans.onJob(event)
    },
    (request, shape) => plans.forecast(request, shape)
  )
  node.services.advert.setSource(() => jobs.adverts())
  let api: ApiServer | undefined
  // Together, since each waits for others: a leaving peer has a second.
  closing.add(() => allOf([worker?.stop(), jobs.stopAll(), contacts.stop(), api?.close()]))

  const trimming = trimWhenIdle({
    runsJob,
    holdsLease,
    buffers,
    clock: systemClock,
    trim: () => {
      worker?.operands.trim()
      operandMemory.clear()
      void compute.collectGarbage()
    }
  })
  closing.add(() => trimming.stop())

  keeper.start()
  worker?.start()
  const peer = new Peer(
    {
      home,
      keys,
      node,
      members,
      plans,
      jobs,
      threads,
      leaseCount: () => worker?.leaseCount ?? 0,
      dial: (addresses, dialling) => contacts.dial(addresses, dialling),
      close: () => closing.run()
    },
    events
  )
  await contacts.start(options.peers, waiting)
  if (options.role === 'joined') api = await serveApi(peer, home.paths.socket)
  return peer
}

async function chooseDevice(
  compute: KernelPool,
  { device = 'cpu' }: OpenOptions,
  notice: (message: string) => void,
  { signal }: Waiting
): Promise<Device> {
  if (device === 'cpu') return device
  const chosen = await compute.chooseDevice(device, { signal })
  notice(
    chosen === 'cpu'
      ? 'no GPU is faster than the CPU: products are computed on the CPU'
      : 'products are computed on the GPU'
  )
  return chosen
}

function makeWorker(
  parts: Omit<WorkerParts, 'onEvent' | 'memoryBytesMax'>,
  { memoryBytesMax }: OpenOptions,
  events: FanOut<PeerEvent>
): Worker {
  const limit = memoryBytesMax === undefined ? {} : { memoryBytesMax }
  return new Worker(workerPorts({ ...parts, ...limit, onEvent: (event) => events.publish(event) }))
}

/** The submitter's own operands first; a worker's are blocks that it fetched from others. */
function operandHandler(desk: LeaseDesk, worker: Worker | undefined): OperandHandler {
  return {
    read: (peerId, range, reading) => {
      return (
        desk.readOperand(peerId, range, reading) ?? worker?.operands.read(peerId, range, reading) ?? noOperand(range)
      )
    }
  }
}

function noOperand({ hash }: OperandRange): Promise<never> {
  const name = Buffer.from(hash).toString('hex', 0, 4)
  const refusal = RefusalCode.inputUnavailable
  return Promise.reject(new WireError('REFUSED', `there is no operand ${name}… here`, { refusal }))
}

/** Waits for all, whatever fails. @throws the first failure */
async function allOf(steps: readonly (Promise<void> | undefined)[]): Promise<void> {
  const settled = await Promise.allSettled(steps)
  const failed = settled.find((step) => step.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

function publishState(events: FanOut<PeerEvent>, jobId: string, event: JobEvent): void {
  switch (event.event) {
    case 'accepted':
      events.publish({ event: 'job-state', jobId, state: 'open', message: `${event.task}, ${event.inputBytes} bytes` })
      break
    case 'done':
      events.publish({ event: 'job-state', jobId, state: 'done', message: event.summary })
      break
    case 'failed':
    case 'stopped':
    case 'cancelled':
      events.publish({ event: 'job-state', jobId, state: event.event, message: event.message })
      break
    default:
  }
}

/** What must be ended, in the reverse order of its making; each is tried even when one before it fails. */
class Closing {
  readonly #steps: (() => Promise<void>)[] = []
  #running: Promise<void> | undefined

  add(step: () => Promise<void>): void {
    this.#steps.push(step)
  }

  run(): Promise<void> {
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    const failures: unknown[] = []
    for (const step of this.#steps.reverse()) await step().catch((error) => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, 'the peer could not be closed cleanly')
  }
}
