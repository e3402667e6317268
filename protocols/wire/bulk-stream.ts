import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { encodeHeaders, type FrameHeader, FrameType, parseHeader } from './frame.ts'
import { type DataTarget, FrameParser, type FrameSink } from './frame-parser.ts'
import { encodeLaneOffer, type LanePort, type LaneSender, type LaneSink, parseLaneOffer } from './lane.ts'
import { asWireError, StreamLife } from './stream-life.ts'
import { RefusalCode, WireError } from './wire-error.ts'

/** A stream on which one end waits for the other and no byte moves for this long is reset. Checked at half steps. */
export const STALL_MS = 30_000
/** How long opening a bulk stream may take, in ms. */
export const BULK_OPEN_TIMEOUT_MS = 10_000
/** How long closing one may take before it is reset, in ms. */
export const BULK_CLOSE_TIMEOUT_MS = 5_000
/** Streams that libp2p lets through per connection, so that a second one is refused by us, with a reason. */
export const BULK_STREAMS_MAX = 4

/** What runs on a bulk stream. */
export interface BulkRole extends FrameSink {
  /** Whether this end is waiting for the other one, so that silence is a stall. */
  isWaiting(): boolean
}

/** How a bulk stream is opened or accepted. */
export interface BulkOptions {
  /** See {@link STALL_MS}. */
  readonly stallMs?: number
  /**
   * Called with the data of each `message` event once every byte of it was copied, so that its memory can be given back
   * at once. Nothing here looks at it again.
   */
  readonly recycle?: (data: Uint8Array | Uint8ArrayList) => void
  /** Called once with each bulk stream before anything is sent, so that its flow control can be set. */
  readonly prepare?: (stream: Stream, connection: Connection) => void
  /** The lanes of a connection, where it can have some. */
  readonly lanes?: (connection: Connection) => LanePort | undefined
}

const NO_PAYLOAD = new Uint8Array(0)

/**
 * Frames over one libp2p stream. Owns the stream: it must be made synchronously in the protocol handler. Any error in a
 * listener resets the stream instead of ending the process.
 */
export class BulkStream {
  readonly life: StreamLife
  readonly #parser: FrameParser
  readonly #recycle: BulkOptions['recycle']
  readonly #ready = Promise.withResolvers<void>()
  readonly #lanes: LanePort | undefined
  #laneTaken: { close(): void } | undefined
  #laneJoined: LaneSender | undefined
  #role: BulkRole | undefined
  #receivedBytes = 0
  #sentBytes = 0

  constructor(stream: Stream, connection: Connection, options: BulkOptions = {}) {
    this.life = new StreamLife(stream)
    this.#recycle = options.recycle
    this.#lanes = options.lanes?.(connection)
    this.#parser = new FrameParser({
      onData: (header) => this.#onData(header),
      onFrame: (header, payload) => this.#onFrame(header, payload)
    })
    this.#ready.promise.catch(() => undefined)
    stream.addEventListener('message', (event) => this.#onMessage(event))
    stream.addEventListener('end', () => this.#onReadEnd())
    this.#watchForStalls(options.stallMs ?? STALL_MS)
    this.life.signal.addEventListener('abort', () => this.#ready.reject(this.life.signal.reason), { once: true })
    if (stream.readableEnded) this.#onReadEnd()
  }

  /** Aborts when the stream ends for whatever reason; its reason is the WireError that says why. */
  get signal(): AbortSignal {
    return this.life.signal
  }

  /** Says what happens with frames. Until then only `ready` or a refusal of the stream may come. */
  attach(role: BulkRole): void {
    this.#role = role
  }

  /** Accepting side: tells the other one that the stream is served. */
  sendReady(): void {
    this.send({ type: FrameType.ready, code: 0, leaseNumber: 0, offset: 0, byteLength: 0 })
  }

  /** Accepting side: refuses the stream and closes it. */
  async refuseStream(code: RefusalCode): Promise<void> {
    this.send({ type: FrameType.refuse, code, leaseNumber: 0, offset: 0, byteLength: 0 })
    await this.close()
  }

  /** Opening side. @throws WireError STREAM_BUSY, REFUSED, STREAM_ENDED, or the signal's reason */
  async whenReady(options: { readonly signal: AbortSignal }): Promise<void> {
    await settled(this.#ready.promise, options.signal)
  }

  /** Sends one frame; the payload is kept by reference. @throws WireError why the stream ended */
  send(header: FrameHeader, payload: Uint8Array = NO_PAYLOAD): void {
    const head = encodeHeaders([header])
    this.#send(payload.byteLength === 0 ? head : new Uint8ArrayList(head, payload))
  }

  /** Sends frames without payloads in one piece. @throws WireError why the stream ended */
  sendHeaders(headers: readonly FrameHeader[]): void {
    if (headers.length > 0) this.#send(encodeHeaders(headers))
  }

  /**
   * Sends one DATA frame, on the lane that the other end has opened if it has.
   * @returns whether all of the payload was read already; else it is kept by reference
   * @throws WireError why the stream ended
   */
  sendData(header: FrameHeader, payload: Uint8Array): boolean {
    if (this.#laneJoined === undefined) {
      this.send(header, payload)
      return false
    }
    this.life.throwIfFailed()
    this.life.throwIfEnded()
    this.#laneJoined.send(encodeHeaders([header]), payload)
    this.#sentBytes += payload.byteLength
    return true
  }

  /** Receiving end of DATA: opens a lane for it, once, where the connection can have one. @throws why the stream ended */
  openLane(): void {
    if (this.#lanes === undefined || this.#laneTaken !== undefined) return
    const { offer, close } = this.#lanes.receive(this.#laneSink())
    this.#laneTaken = { close }
    this.signal.addEventListener('abort', close, { once: true })
    const payload = encodeLaneOffer(offer)
    const header = { type: FrameType.lane, code: 0, leaseNumber: 0, offset: offer.laneNumber } as const
    this.send({ ...header, byteLength: payload.byteLength }, payload)
  }

  /** Half-closes after what was sent is flushed; resets when the other side does not follow in time. */
  async close(): Promise<void> {
    await this.life.close({ signal: AbortSignal.timeout(BULK_CLOSE_TIMEOUT_MS) })
    if (this.signal.aborted) return
    const end = (): void => this.life.fail(new WireError('TIMED_OUT', 'the other side did not close its end'))
    const timer = setTimeout(end, BULK_CLOSE_TIMEOUT_MS).unref()
    this.signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  }

  #send(bytes: Uint8Array | Uint8ArrayList): void {
    this.life.send(bytes)
    this.#sentBytes += bytes.byteLength
  }

  #onMessage(event: StreamMessageEvent): void {
    if (this.life.hasFailed) return
    try {
      this.#receivedBytes += event.data.byteLength
      this.#parser.push(event.data)
      this.#recycle?.(event.data)
    } catch (error) {
      this.life.fail(asWireError(error))
    }
  }

  #onData(header: FrameHeader): DataTarget {
    if (this.#role === undefined) throw new WireError('FRAME_MALFORMED', 'data came before the stream was ready')
    return this.#role.onData(header)
  }

  #onFrame(header: FrameHeader, payload: Uint8Array): void {
    if (header.type === FrameType.lane) this.#joinLane(header, payload)
    else if (header.leaseNumber === 0) this.#onStreamFrame(header)
    else if (this.#role === undefined)
      throw new WireError('FRAME_MALFORMED', 'a frame came before the stream was ready')
    else this.#role.onFrame(header, payload)
  }

  #joinLane(header: FrameHeader, payload: Uint8Array): void {
    if (this.#laneJoined !== undefined) throw new WireError('FRAME_MALFORMED', 'a second lane for one stream')
    const offer = parseLaneOffer(header.offset, payload)
    this.#laneJoined = this.#lanes?.send(offer, () => this.life.wake())
    if (this.#laneJoined !== undefined) this.life.countIn(this.#laneJoined)
  }

  #laneSink(): LaneSink {
    const guarded = <T>(call: () => T): T | undefined => {
      if (this.life.hasFailed || this.signal.aborted) return undefined
      try {
        return call()
      } catch (error) {
        this.life.fail(asWireError(error))
        return undefined
      }
    }
    return {
      begin: (bytes) =>
        guarded(() => {
          const header = parseHeader(bytes)
          if (header.type !== FrameType.data) {
            throw new WireError('FRAME_MALFORMED', `a frame of type ${header.type} came on a lane`)
          }
          return this.#onData(header)
        }),
      arrived: (byteLength) => {
        this.#receivedBytes += byteLength
      },
      finish: (target, byteLength) =>
        guarded(() => {
          target.onReceived(byteLength)
          target.onWhole()
        })
    }
  }

  #onStreamFrame(header: FrameHeader): void {
    if (this.#role !== undefined) throw new WireError('FRAME_MALFORMED', 'the stream was answered twice')
    if (header.type === FrameType.ready) this.#ready.resolve()
    else if (header.code === RefusalCode.busy) this.#ready.reject(busy())
    else this.#ready.reject(refused(header, 'the stream was refused'))
  }

  #onReadEnd(): void {
    if (this.#parser.isInsideFrame) this.life.fail(new WireError('STREAM_ENDED', 'the stream ended inside a frame'))
    else this.close().catch((error) => this.life.fail(asWireError(error)))
  }

  #watchForStalls(stallMs: number): void {
    let before = -1
    const timer = setInterval(() => {
      const moved = this.#receivedBytes + this.#sentBytes - this.life.queuedBytes
      const isStalled = moved === before && this.#role?.isWaiting() === true
      before = this.#role?.isWaiting() === true ? moved : -1
      if (isStalled) this.life.fail(new WireError('TIMED_OUT', `no byte moved for ${stallMs} ms`))
    }, stallMs / 2).unref()
    this.signal.addEventListener('abort', () => clearInterval(timer), { once: true })
  }
}

/**
 * Opens a bulk stream on a connection and waits until the other side serves it.
 * @throws WireError STREAM_BUSY, REFUSED, STREAM_ENDED, TIMED_OUT, or the signal's reason
 */
export async function openBulk(
  connection: Connection,
  protocol: string,
  options: BulkOptions & { readonly signal: AbortSignal }
): Promise<BulkStream> {
  const timeout = AbortSignal.timeout(BULK_OPEN_TIMEOUT_MS)
  const signal = AbortSignal.any([options.signal, timeout])
  let bulk: BulkStream | undefined
  try {
    const stream = await connection.newStream(protocol, { signal, maxOutboundStreams: BULK_STREAMS_MAX })
    bulk = new BulkStream(stream, connection, options)
    options.prepare?.(stream, connection)
    await bulk.whenReady({ signal })
    return bulk
  } catch (error) {
    const reason = options.signal.aborted ? options.signal.reason : openError(error, timeout)
    bulk?.life.fail(asWireError(reason))
    throw reason
  }
}

/** The error that a refusal from the other side becomes. */
export function refused(header: FrameHeader, message: string): WireError {
  const options = header.code === 0 ? {} : { refusal: header.code }
  return new WireError('REFUSED', `${message} (code ${header.code})`, options)
}

/** A promise's outcome, or the signal's reason when that aborts first. */
export function settled<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  return Promise.race([promise, aborted.promise]).finally(() => signal.removeEventListener('abort', abort))
}

function busy(): WireError {
  return new WireError('STREAM_BUSY', 'this connection has such a stream already', { refusal: RefusalCode.busy })
}

function openError(error: unknown, timeout: AbortSignal): WireError {
  if (timeout.aborted)
    return new WireError('TIMED_OUT', `opening took over ${BULK_OPEN_TIMEOUT_MS} ms`, { cause: error })
  if (error instanceof WireError && error.code !== 'STREAM_ENDED') return error
  const cause = error instanceof WireError ? error.cause : error
  // Above its limit libp2p negotiates a stream and then resets it, or refuses to open one more of ours.
  if (cause instanceof Error && /^(StreamResetError|TooManyOutboundProtocolStreamsError)$/.test(cause.name))
    return busy()
  return new WireError('STREAM_ENDED', 'the stream could not be opened', { cause })
}
