import type { Connection } from '@libp2p/interface'
import type { ControlCodec, ControlStream } from '../wire/control-stream.ts'
import { endControl, openControl } from '../wire/open-control.ts'
import { WireError } from '../wire/wire-error.ts'
import { ADVERT_PROTOCOL, ADVERT_STREAMS_MAX, PULL_TIMEOUT_MS } from './constants.ts'
import { parseAdvert, parseAdvertCount } from './messages.ts'
import type { ReceivedAdvert } from './types.ts'

/** Bytes as they are: what a message means depends on its place in the stream. */
export const BYTES_CODEC: ControlCodec<Uint8Array, Uint8Array> = {
  decode: (bytes) => bytes,
  encode: (bytes) => bytes
}

/**
 * Pulls what the peer at the other end advertises; complete, or not at all.
 * @throws WireError STREAM_BUSY, STREAM_ENDED, TIMED_OUT, MESSAGE_MALFORMED; SIGNATURE_INVALID when an advert is not the
 *   other side's own
 */
export function pullAdverts(
  connection: Connection,
  options: { readonly signal: AbortSignal }
): Promise<readonly ReceivedAdvert[]> {
  const from = connection.remotePeer
  const sender = from.toString()
  const opening = {
    signal: options.signal,
    timeoutMs: PULL_TIMEOUT_MS,
    streamsMax: ADVERT_STREAMS_MAX,
    runOnLimitedConnection: true
  }
  return openControl(connection, ADVERT_PROTOCOL, BYTES_CODEC, opening, async (control, waiting) => {
    await control.close()
    const count = parseAdvertCount(await readNext(control, waiting))
    const received: ReceivedAdvert[] = []
    while (received.length < count) {
      received.push({ advert: parseAdvert(await readNext(control, waiting), sender), from })
    }
    await endControl(control)
    return received
  })
}

async function readNext(
  control: ControlStream<Uint8Array, Uint8Array>,
  waiting: { readonly signal: AbortSignal }
): Promise<Uint8Array> {
  const bytes = await control.read(waiting)
  if (bytes === undefined) throw new WireError('STREAM_ENDED', 'the adverts ended before the last one')
  return bytes
}
