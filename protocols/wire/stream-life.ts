import type { Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { WireError } from './wire-error.ts'

/**
 * Owns the end of one libp2p stream: why it ended, who waits for it, and the waiting for room to write.
 *
 * libp2p's own `onDrain()` only waits the first time it is called, and a killed peer closes a stream without an error,
 * so both are done here with events.
 */
export class StreamLife {
  readonly stream: Stream
  readonly #controller = new AbortController()
  readonly #waiting = new Set<() => void>()
  #failure: WireError | undefined
  #lane: { readonly queuedBytes: number } | undefined

  constructor(stream: Stream) {
    this.stream = stream
    // The stream goes on sending in a microtask after `drain`, and it emits `idle` but no second `drain` when that
    // emptied its buffer: so both count, and both are looked at after that microtask.
    const wake = (): void => queueMicrotask(() => this.wake())
    stream.addEventListener('drain', wake)
    stream.addEventListener('idle', wake)
    stream.addEventListener('close', (event) => this.#finish(event.error))
    if (stream.status !== 'open') this.#finish(undefined)
  }

  /** Aborts when the stream ends for whatever reason; its reason is the WireError that says why. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Bytes handed to {@link StreamLife.send}, or to a lane, that could not be passed on yet. */
  get queuedBytes(): number {
    return this.stream.writeBufferLength + (this.#lane?.queuedBytes ?? 0)
  }

  /** What else holds bytes of this stream back; {@link StreamLife.wake} is to be called when it passed some on. */
  countIn(lane: { readonly queuedBytes: number }): void {
    this.#lane = lane
  }

  /** @throws WireError why the stream ended, if it did */
  throwIfEnded(): void {
    if (this.signal.aborted) throw this.signal.reason
  }

  /** @throws WireError what {@link StreamLife.fail} was called with, even before the reset has happened */
  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Hands bytes to the stream, which keeps them by reference. @throws WireError STREAM_ENDED, or why the stream ended */
  send(bytes: Uint8Array | Uint8ArrayList): void {
    this.throwIfFailed()
    this.throwIfEnded()
    try {
      this.stream.send(bytes)
    } catch (cause) {
      throw new WireError('STREAM_ENDED', 'the stream takes no more bytes', { cause })
    }
  }

  /**
   * Waits until at most `lowBytes` are queued.
   * @throws WireError why the stream ended, or the signal's reason
   */
  async whenWritable(lowBytes: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    while (this.queuedBytes > lowBytes) {
      this.throwIfEnded()
      await this.#nextWake(options.signal)
    }
    this.throwIfEnded()
  }

  /** Has whoever waits for room look again. */
  wake(): void {
    for (const resume of this.#waiting) resume()
    this.#waiting.clear()
  }

  /** Half-closes after what was sent is flushed; resets the stream when that does not succeed. */
  async close(options: { readonly signal: AbortSignal }): Promise<void> {
    if (this.signal.aborted) return
    try {
      await this.stream.close(options)
    } catch (cause) {
      this.fail(new WireError('STREAM_ENDED', 'the stream did not close cleanly', { cause }))
    }
  }

  /** Resets the stream. Everything that waits on it is told this error. May be called inside a listener. */
  fail(error: WireError): void {
    if (this.signal.aborted || this.#failure !== undefined) return
    this.#failure = error
    // Not inside a dispatch: the stream would go on with its state half changed.
    queueMicrotask(() => {
      this.stream.abort(error)
      this.#finish(error)
    })
  }

  /** Whether {@link StreamLife.fail} was called: bytes that still come are to be ignored. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  #finish(cause: Error | undefined): void {
    if (this.signal.aborted) return
    const options = cause === undefined ? {} : { cause }
    this.#controller.abort(this.#failure ?? new WireError('STREAM_ENDED', 'the stream has ended', options))
    this.wake()
  }

  #nextWake(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(resume)
        reject(signal?.reason)
      }
      const resume = (): void => {
        signal?.removeEventListener('abort', abort)
        resolve()
      }
      this.#waiting.add(resume)
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}

/** Any error as a WireError: what is none becomes STREAM_ENDED with the error as its cause. */
export function asWireError(error: unknown): WireError {
  if (error instanceof WireError) return error
  return new WireError('STREAM_ENDED', 'the stream was ended by an error of our own', { cause: error })
}
