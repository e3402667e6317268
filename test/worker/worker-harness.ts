import type { Connection } from '@libp2p/interface'
import type { Advert, ReceivedAdvert } from '../../protocols/advert/types.ts'
import type { Claim } from '../../protocols/wire/receipt-types.ts'
import { BufferPool } from '../../src/domain/buffer-pool.ts'
import type { WorkerEvent, WorkerPorts } from '../../src/worker/ports.ts'
import { FakeCompute } from '../support/fake-compute.ts'
import { fakePeerId } from '../support/fake-peer.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { type FakeSubmitter, JOB_ID } from './fake-submitter.ts'

const unused = (): never => {
  throw new Error('a worker does not use this')
}

/** A pool that tells what was given back. */
export class RecordedPool extends BufferPool {
  readonly given: ArrayBuffer[] = []

  override give(buffer: ArrayBuffer): void {
    this.given.push(buffer)
    super.give(buffer)
  }
}

/** The ports of a worker whose far ends are fakes. */
export class WorkerHarness {
  readonly clock = new VirtualClock()
  readonly compute = new FakeCompute(new Uint8Array(0), 1)
  readonly buffers = new RecordedPool(1024 * 1024)
  readonly events: WorkerEvent[] = []
  readonly claims: Claim[] = []
  readonly receipts: Uint8Array[] = []
  readonly bulks: { readonly from: Connection; closed: number }[] = []
  readonly adverts = new Map<string, Advert[]>()
  readonly ports: WorkerPorts
  pulledAdverts = 0
  receiptFailure: Error | undefined
  hear: (received: ReceivedAdvert) => void = () => undefined
  /** Control connections that took the place of closed ones. */
  readonly controls = new Map<string, Connection>()

  constructor(submitters: readonly FakeSubmitter[]) {
    const of = (connection: Connection): FakeSubmitter => {
      const submitter = submitters.find(({ name }) => name === connection.remotePeer.toString())
      if (submitter === undefined) throw new Error('nobody is there')
      return submitter
    }
    this.ports = {
      peerId: fakePeerId('worker'),
      name: 'worker',
      advert: {
        setSource: unused,
        publish: unused,
        setListener: (listener) => {
          this.hear = listener
        },
        pull: async (connection) => {
          this.pulledAdverts++
          const adverts = this.adverts.get(connection.remotePeer.toString()) ?? []
          return adverts.map((advert) => ({ advert, from: connection.remotePeer }))
        }
      },
      lease: {
        setHandler: unused,
        open: async (connection, hello, handler) => of(connection).openLease(hello, handler)
      },
      chunk: { setHandler: unused, open: async (connection) => of(connection).openChunk() },
      result: { setHandler: unused, open: async (connection) => of(connection).openResult() },
      compute: this.compute,
      buffers: this.buffers,
      clock: this.clock,
      kernelIds: ['invert-f32-1'],
      memoryBytes: 64 * 1024 * 1024,
      operandBytesMax: 64 * 1024 * 1024,
      openOperands: unused,
      isTight: false,
      collectGarbage: undefined,
      controlTo: (peerId) => this.controls.get(peerId.toString()),
      openBulk: async (control) => {
        const bulk = { from: control, closed: 0 }
        this.bulks.push(bulk)
        const connection: Pick<Connection, 'remotePeer' | 'close'> = {
          remotePeer: control.remotePeer,
          close: async () => void bulk.closed++
        }
        return connection as Connection
      },
      signClaim: async (claim) => {
        this.claims.push(claim)
        return new TextEncoder().encode(`claim of ${claim.jobId} ${claim.chunkIndex}`)
      },
      keepReceipt: async (receipt) => {
        if (this.receiptFailure !== undefined) throw this.receiptFailure
        this.receipts.push(receipt)
      },
      onEvent: (event) => void this.events.push(event)
    }
  }

  eventsOf<Name extends WorkerEvent['event']>(name: Name): Extract<WorkerEvent, { event: Name }>[] {
    return this.events.filter((event): event is Extract<WorkerEvent, { event: Name }> => event.event === name)
  }
}

/** The advert as it comes from its submitter. */
export function heardFrom(submitter: FakeSubmitter, changes: Partial<Advert> = {}): ReceivedAdvert {
  return { advert: submitter.advert({ jobId: JOB_ID, ...changes }), from: submitter.peerId }
}
