import type { Connection } from '@libp2p/interface'
import { type ControlCodec, ControlStream } from './control-stream.ts'
import { asWireError } from './stream-life.ts'
import { WireError } from './wire-error.ts'

/** How long a side that has closed waits for the other one to close, in ms. */
export const CLOSE_GRACE_MS = 2_000

/** How a control stream is opened. */
export interface OpenControlOptions {
  readonly signal: AbortSignal
  /** Time for opening the stream and for what is done with it at once. */
  readonly timeoutMs: number
  /** Streams of the protocol that one connection may have open at once. */
  readonly streamsMax: number
  /** Whether the protocol also runs through a relay. */
  readonly runOnLimitedConnection: boolean
}

/**
 * Opens a control stream and does something with it at once; resets it when that fails.
 * @param use what to do; what it throws is thrown, except that a stream which was reset counts as busy
 * @throws WireError STREAM_BUSY, STREAM_ENDED, TIMED_OUT, what `use` throws, or the signal's reason
 */
export async function openControl<Incoming, Outgoing, Result>(
  connection: Connection,
  protocol: string,
  codec: ControlCodec<Incoming, Outgoing>,
  options: OpenControlOptions,
  use: (control: ControlStream<Incoming, Outgoing>, waiting: { readonly signal: AbortSignal }) => Promise<Result>
): Promise<Result> {
  const { signal: given, timeoutMs, streamsMax, runOnLimitedConnection } = options
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([given, timeout])
  let control: ControlStream<Incoming, Outgoing> | undefined
  try {
    given.throwIfAborted()
    const stream = await connection.newStream(protocol, {
      signal,
      maxOutboundStreams: streamsMax,
      runOnLimitedConnection
    })
    control = new ControlStream(stream, codec)
    return await use(control, { signal })
  } catch (error) {
    const reason: unknown = given.aborted ? given.reason : openError(error, timeout, timeoutMs)
    control?.abort(asWireError(reason))
    throw reason
  }
}

/** Half-closes, and resets the stream when the other side does not close its end within {@link CLOSE_GRACE_MS}. */
export async function endControl<Incoming, Outgoing>(control: ControlStream<Incoming, Outgoing>): Promise<void> {
  await control.close()
  if (control.signal.aborted) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => {
      control.abort(new WireError('TIMED_OUT', `the other side did not close within ${CLOSE_GRACE_MS} ms`))
    }, CLOSE_GRACE_MS)
    const onEnd = (): void => {
      clearTimeout(timer)
      resolve()
    }
    control.signal.addEventListener('abort', onEnd, { once: true })
  })
}

function openError(error: unknown, timeout: AbortSignal, timeoutMs: number): WireError {
  if (timeout.aborted) return new WireError('TIMED_OUT', `opening took over ${timeoutMs} ms`, { cause: error })
  if (error instanceof WireError && error.code !== 'STREAM_ENDED') return error
  const cause = error instanceof WireError ? error.cause : error
  // Above its limit libp2p negotiates a stream and then resets it, or refuses to open one more of ours.
  if (cause instanceof Error && /^(StreamResetError|TooManyOutboundProtocolStreamsError)$/.test(cause.name)) {
    return new WireError('STREAM_BUSY', 'the other side takes no more of these streams', { cause })
  }
  return new WireError('STREAM_ENDED', 'the stream could not be opened, or ended at once', { cause })
}
