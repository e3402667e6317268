import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Connection } from '@libp2p/interface'
import { LANE_SECRET_BYTES } from '../../protocols/wire/constants.ts'
import { FRAME_HEADER_BYTES } from '../../protocols/wire/frame.ts'
import type { DataTarget } from '../../protocols/wire/frame-parser.ts'
import type { LaneOffer, LanePort, LaneSender, LaneSink } from '../../protocols/wire/lane.ts'
import { writeCorked } from './corked-write.ts'
import { type LaneHead, LaneOpener, LaneSealer } from './lane-record.ts'
import { chooseSuite, quickSuites, SUITE_TAG_BYTES } from './lane-suite.ts'
import { freeBuffer } from './recycle.ts'

/** Lanes that one connection may have open to receive on: more than its bulk streams can be. */
export const LANES_OPEN_MAX = 64

/** Found by what a libp2p connection and the TCP connection below it share, and nobody else has: their timeline. */
const byTimeline = new WeakMap<object, LanePort>()

/** Lets bulk streams have the lanes of a TCP connection, whose reader looks for their records. */
export function offerLanes(raw: { readonly timeline: object }, lanes: LanePort): void {
  byTimeline.set(raw.timeline, lanes)
}

/** The lanes of a libp2p connection, if the TCP connection below it offers some. */
export function lanesOf(connection: Pick<Connection, 'timeline'>): LanePort | undefined {
  return byTimeline.get(connection.timeline)
}

/** The socket that lanes share with libp2p's own records. */
export interface SharedSocket {
  readonly socket: Socket
  /** Called when the system has taken bytes of a lane, so that libp2p goes on if it waits for that. */
  onWritten(): void
}

/**
 * Owns the lanes of one TCP connection: seals what is sent between libp2p's own records, and takes the lane records that
 * the reader of the connection finds.
 */
export class ConnectionLanes implements LanePort {
  readonly #shared: SharedSocket
  readonly #suites: number
  #queuedBytes = 0
  readonly #open = new Map<number, IncomingLane>()
  #lastNumber = 0
  #arriving: IncomingRecord | undefined

  constructor(shared: SharedSocket, suites: number = quickSuites()) {
    this.#shared = shared
    this.#suites = suites
  }

  /** Bytes of all lanes that the system has not taken. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  receive(sink: LaneSink): { readonly offer: LaneOffer; close(): void } {
    if (this.#open.size >= LANES_OPEN_MAX) throw new RangeError(`more than ${LANES_OPEN_MAX} lanes on one connection`)
    this.#lastNumber += 1
    const laneNumber = this.#lastNumber
    const secret = new Uint8Array(randomBytes(LANE_SECRET_BYTES))
    this.#open.set(laneNumber, { sink, opener: new LaneOpener(secret) })
    return {
      offer: { laneNumber, quickSuites: this.#suites, secret },
      close: () => this.#open.delete(laneNumber)
    }
  }

  send(offer: LaneOffer, onWritten: () => void): LaneSender {
    const suite = chooseSuite(this.#suites, offer.quickSuites)
    const sealer = new LaneSealer(suite, offer.laneNumber, offer.secret)
    return new OutgoingLane(sealer, (parts, byteLength, onTaken) => this.#write(parts, byteLength, onTaken), onWritten)
  }

  #write(parts: readonly Uint8Array[], byteLength: number, onTaken: () => void): void {
    const written = (error?: Error | null): void => {
      this.#queuedBytes -= byteLength
      // A write that failed may still be read by the system.
      if (error === undefined || error === null) parts.forEach(freeBuffer)
      onTaken()
      this.#shared.onWritten()
    }
    this.#queuedBytes += byteLength
    writeCorked(this.#shared.socket, parts, written)
  }

  /** The reader found a record's head. @throws Error when no such lane was ever offered, or its suite changed */
  begin(head: LaneHead): void {
    if (head.laneNumber === 0 || head.laneNumber > this.#lastNumber) {
      throw new Error(`a record came on lane ${head.laneNumber}, which was never offered`)
    }
    // What comes for a stream that is over was on its way when that ended.
    const lane = this.#open.get(head.laneNumber)
    this.#arriving = lane === undefined ? undefined : new IncomingRecord(lane, head)
  }

  /** The reader found bytes of the body; in all as many as the head said. @throws Error when they are not authentic */
  push(bytes: Uint8Array): void {
    this.#arriving?.push(bytes)
    // A record that is over would keep its target's memory until the next one comes, which may be never.
    if (this.#arriving?.isWhole === true) this.#arriving = undefined
  }
}

interface IncomingLane {
  readonly sink: LaneSink
  readonly opener: LaneOpener
}

/** One record on its way in: frame header, payload, tag, in pieces of any size. */
class IncomingRecord {
  readonly #sink: LaneSink
  readonly #decipher: ReturnType<LaneOpener['open']>
  readonly #header = new Uint8Array(FRAME_HEADER_BYTES)
  readonly #tag = new Uint8Array(SUITE_TAG_BYTES)
  readonly #textBytes: number
  #at = 0
  #target: DataTarget | undefined

  constructor(lane: IncomingLane, head: LaneHead) {
    this.#sink = lane.sink
    this.#decipher = lane.opener.open(head)
    this.#textBytes = head.bodyBytes - SUITE_TAG_BYTES
  }

  get isWhole(): boolean {
    return this.#at === this.#textBytes + SUITE_TAG_BYTES
  }

  push(bytes: Uint8Array): void {
    this.#sink.arrived(bytes.byteLength)
    for (let offset = 0; offset < bytes.byteLength; ) {
      const end = Math.min(bytes.byteLength, offset + this.#missing())
      this.#take(bytes.subarray(offset, end))
      offset = end
    }
  }

  /** Bytes until header, payload or tag is whole. */
  #missing(): number {
    if (this.#at < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES - this.#at
    if (this.#at < this.#textBytes) return this.#textBytes - this.#at
    return this.#textBytes + SUITE_TAG_BYTES - this.#at
  }

  #take(bytes: Uint8Array): void {
    const from = this.#at
    this.#at += bytes.byteLength
    if (from >= this.#textBytes) {
      this.#tag.set(bytes, from - this.#textBytes)
      if (this.isWhole) this.#finish()
      return
    }
    const text = this.#decipher.update(bytes)
    if (from < FRAME_HEADER_BYTES) {
      this.#header.set(text, from)
      if (this.#at === FRAME_HEADER_BYTES) this.#target = this.#begin()
      return
    }
    this.#target?.into?.set(text, from - FRAME_HEADER_BYTES)
    freeBuffer(text)
  }

  #begin(): DataTarget | undefined {
    const target = this.#sink.begin(this.#header)
    const payloadBytes = this.#textBytes - FRAME_HEADER_BYTES
    if (target?.into !== undefined && target.into.byteLength !== payloadBytes) {
      throw new Error(`a lane record carries ${payloadBytes} bytes for a frame of ${target.into.byteLength}`)
    }
    return target
  }

  #finish(): void {
    this.#decipher.setAuthTag(this.#tag)
    this.#decipher.final()
    if (this.#target !== undefined) this.#sink.finish(this.#target, this.#textBytes - FRAME_HEADER_BYTES)
  }
}

/** Writes a record in one piece; `onTaken` is called when the system has it. */
type WriteRecord = (parts: readonly Uint8Array[], byteLength: number, onTaken: () => void) => void

/** The sending end of one lane. */
class OutgoingLane implements LaneSender {
  readonly #sealer: LaneSealer
  readonly #write: WriteRecord
  readonly #onWritten: () => void
  #queuedBytes = 0

  constructor(sealer: LaneSealer, write: WriteRecord, onWritten: () => void) {
    this.#sealer = sealer
    this.#write = write
    this.#onWritten = onWritten
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  send(header: Uint8Array, payload: Uint8Array): void {
    const parts = this.#sealer.seal(header, payload)
    const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0)
    this.#queuedBytes += byteLength
    this.#write(parts, byteLength, () => {
      this.#queuedBytes -= byteLength
      this.#onWritten()
    })
  }
}
