import type { Connection } from '@libp2p/interface'
import type { LaneOffer, LanePort, LaneSender, LaneSink } from '../../../protocols/wire/lane.ts'

/** Lanes between two nodes of one test, without a network: what is sent arrives in a later turn. */
export class FakeLanes {
  readonly #sinks = new Map<string, LaneSink>()
  #lastNumber = 0
  /** Bytes of payload that went over lanes. */
  sentBytes = 0
  closedCount = 0

  /** As bulk protocols take it: every connection has lanes. */
  readonly lanes = (_connection: Connection): LanePort => ({
    receive: (sink) => this.#receive(sink),
    send: (offer) => this.sender(offer)
  })

  /** The sending end of an offer, also for a test that is one itself. */
  sender(offer: LaneOffer): LaneSender {
    return {
      queuedBytes: 0,
      send: (header, payload) => {
        this.sentBytes += payload.byteLength
        const sink = this.#sinks.get(keyOf(offer))
        const bytes = payload.slice()
        setImmediate(() => deliver(sink, header, bytes))
      }
    }
  }

  #receive(sink: LaneSink): { offer: LaneOffer; close(): void } {
    this.#lastNumber += 1
    const offer = { laneNumber: this.#lastNumber, quickSuites: 1, secret: new Uint8Array(32).fill(this.#lastNumber) }
    this.#sinks.set(keyOf(offer), sink)
    return {
      offer,
      close: () => {
        this.closedCount += 1
        this.#sinks.delete(keyOf(offer))
      }
    }
  }
}

function deliver(sink: LaneSink | undefined, header: Uint8Array, payload: Uint8Array): void {
  sink?.arrived(payload.byteLength)
  const target = sink?.begin(header)
  if (target === undefined) return
  target.into?.set(payload)
  sink?.finish(target, payload.byteLength)
}

/** A lane is named by both, so an offer that was changed on the way finds nothing. */
function keyOf({ laneNumber, secret }: LaneOffer): string {
  return `${laneNumber} ${Buffer.from(secret).toString('hex')}`
}
