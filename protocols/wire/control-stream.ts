import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { CONTROL_MESSAGE_BYTES_MAX } from './constants.ts'
import { MessageSplitter, withLength } from './message-splitter.ts'
import { asWireError, StreamLife } from './stream-life.ts'
import { WireError } from './wire-error.ts'

/** Received bytes that wait to be read before the stream is paused. */
export const CONTROL_PENDING_BYTES_HIGH = 256 * 1024
/** Received bytes that wait to be read when a paused stream goes on. */
export const CONTROL_PENDING_BYTES_LOW = 64 * 1024
/** Bytes that may wait to be sent; above it the other side is not reading and is cut off. */
export const CONTROL_QUEUED_BYTES_MAX = 1024 * 1024
/** Bytes that may still be queued when {@link ControlStream.write} returns. */
export const CONTROL_QUEUED_BYTES_LOW = 128 * 1024
/** How long {@link ControlStream.close} waits for what was sent to be flushed, in ms. */
export const CONTROL_CLOSE_TIMEOUT_MS = 5_000

/** How messages become bytes. `decode` throws WireError MESSAGE_MALFORMED, as {@link parseMessage} does. */
export interface ControlCodec<Incoming, Outgoing> {
  decode(bytes: Uint8Array): Incoming
  encode(message: Outgoing): Uint8Array
}

/**
 * Small messages over one libp2p stream, each after its length as a varint. Owns the stream: attach it synchronously in
 * the protocol handler. A message that is too large or malformed resets the stream; nothing here throws in a listener.
 *
 * libp2p's `lpStream` was not enough: it buffers 4 MiB without a brake, and a read that is given up loses its place.
 */
export class ControlStream<Incoming, Outgoing> {
  readonly #life: StreamLife
  readonly #codec: ControlCodec<Incoming, Outgoing>
  readonly #splitter = new MessageSplitter(CONTROL_MESSAGE_BYTES_MAX)
  readonly #pending: Uint8Array[] = []
  #pendingBytes = 0
  #remoteClosed = false
  #readEnded = false
  #reader: (() => void) | undefined

  constructor(stream: Stream, codec: ControlCodec<Incoming, Outgoing>) {
    this.#life = new StreamLife(stream)
    this.#codec = codec
    stream.addEventListener('message', (event) => this.#onMessage(event))
    stream.addEventListener('remoteCloseWrite', () => {
      this.#remoteClosed = true
    })
    stream.addEventListener('end', () => this.#onReadEnd())
    this.signal.addEventListener('abort', () => this.#reader?.(), { once: true })
    this.#remoteClosed = stream.remoteWriteStatus === 'closed'
    if (stream.readableEnded) this.#onReadEnd()
  }

  /** Aborts when the stream is closed in both directions or reset; its reason is the WireError that says why. */
  get signal(): AbortSignal {
    return this.#life.signal
  }

  /**
   * Reads the next message. A read that is given up or times out loses nothing: the next one gets the message.
   * @returns undefined once the other side has closed its end after a whole message
   * @throws WireError STREAM_ENDED, TIMED_OUT, MESSAGE_MALFORMED, FRAME_TOO_LARGE, or the signal's reason
   */
  async read(options: { readonly signal: AbortSignal; readonly timeoutMs?: number }): Promise<Incoming | undefined> {
    if (this.#reader !== undefined) throw new Error('a control stream has one reader at a time')
    options.signal.throwIfAborted()
    const isReady = (): boolean => this.#pending.length > 0 || this.#readEnded || this.signal.aborted
    if (!isReady()) await this.#wait(options)
    this.#life.throwIfFailed()
    const bytes = this.#pending.shift()
    if (bytes !== undefined) return this.#decode(bytes)
    if (this.#isCleanEnd()) return undefined
    this.#life.throwIfEnded()
    throw this.#reset(new WireError('STREAM_ENDED', 'the stream ended without being closed, or inside a message'))
  }

  /** Reads messages until the other side closes its end. @throws as {@link ControlStream.read} */
  async *messages(options: { readonly signal: AbortSignal; readonly timeoutMs?: number }): AsyncGenerator<Incoming> {
    while (true) {
      const message = await this.read(options)
      if (message === undefined) return
      yield message
    }
  }

  /**
   * Sends a message without waiting; messages leave in the order of the calls.
   * @throws WireError STREAM_ENDED; FRAME_TOO_LARGE; LIMIT_EXCEEDED (and resets) when the other side does not read
   */
  send(message: Outgoing): void {
    const bytes = withLength(this.#codec.encode(message), CONTROL_MESSAGE_BYTES_MAX)
    if (this.#life.queuedBytes + bytes.byteLength > CONTROL_QUEUED_BYTES_MAX) {
      throw this.#reset(new WireError('LIMIT_EXCEEDED', `more than ${CONTROL_QUEUED_BYTES_MAX} bytes wait to be sent`))
    }
    this.#life.send(bytes)
  }

  /** Sends a message and waits until there is room for more. @throws as {@link ControlStream.send}, TIMED_OUT */
  async write(
    message: Outgoing,
    options: { readonly signal: AbortSignal; readonly timeoutMs?: number }
  ): Promise<void> {
    options.signal.throwIfAborted()
    this.send(message)
    if (this.#life.queuedBytes <= CONTROL_QUEUED_BYTES_LOW) return
    const deadline = new AbortController()
    const timer = startTimer(options.timeoutMs, () => deadline.abort(timedOut('write', options.timeoutMs)))
    try {
      await this.#life.whenWritable(CONTROL_QUEUED_BYTES_LOW, {
        signal: AbortSignal.any([options.signal, deadline.signal])
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Half-closes after what was sent is flushed; resets when that takes over {@link CONTROL_CLOSE_TIMEOUT_MS}. */
  async close(): Promise<void> {
    await this.#life.close({ signal: AbortSignal.timeout(CONTROL_CLOSE_TIMEOUT_MS) })
  }

  /** Resets the stream; whoever waits on it gets this error. */
  abort(error: WireError): void {
    this.#life.fail(error)
  }

  #onMessage(event: StreamMessageEvent): void {
    if (this.#life.hasFailed) return
    try {
      this.#splitter.push(event.data, (message) => {
        this.#pending.push(message)
        this.#pendingBytes += message.byteLength + 1
      })
    } catch (error) {
      this.#life.fail(asWireError(error))
    }
    if (this.#pendingBytes > CONTROL_PENDING_BYTES_HIGH) queueMicrotask(() => this.#pause())
    if (this.#pending.length > 0) this.#reader?.()
  }

  #pause(): void {
    const { stream } = this.#life
    if (this.#pendingBytes > CONTROL_PENDING_BYTES_HIGH && stream.readStatus === 'readable') stream.pause()
  }

  #onReadEnd(): void {
    this.#readEnded = true
    this.#reader?.()
  }

  #isCleanEnd(): boolean {
    return this.#readEnded && this.#remoteClosed && !this.#life.hasFailed && !this.#splitter.isInsideMessage
  }

  #decode(bytes: Uint8Array): Incoming {
    const { stream } = this.#life
    this.#pendingBytes -= bytes.byteLength + 1
    if (this.#pendingBytes <= CONTROL_PENDING_BYTES_LOW && stream.readStatus === 'paused') stream.resume()
    try {
      return this.#codec.decode(bytes)
    } catch (error) {
      throw this.#reset(asWireError(error))
    }
  }

  #reset(error: WireError): WireError {
    this.#life.fail(error)
    return error
  }

  #wait(options: { readonly signal: AbortSignal; readonly timeoutMs?: number }): Promise<void> {
    const { signal, timeoutMs } = options
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => (): void => {
        this.#reader = undefined
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
        outcome()
      }
      const abort = settle(() => reject(signal.reason))
      const timer = startTimer(
        timeoutMs,
        settle(() => reject(timedOut('read', timeoutMs)))
      )
      this.#reader = settle(resolve)
      signal.addEventListener('abort', abort, { once: true })
    })
  }
}

function startTimer(timeoutMs: number | undefined, onTimeout: () => void): NodeJS.Timeout | undefined {
  return timeoutMs === undefined ? undefined : setTimeout(onTimeout, timeoutMs)
}

function timedOut(what: string, timeoutMs: number | undefined): WireError {
  return new WireError('TIMED_OUT', `a ${what} took over ${timeoutMs} ms`)
}
