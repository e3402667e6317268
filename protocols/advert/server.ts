import type { ControlStream } from '../wire/control-stream.ts'
import { endControl } from '../wire/open-control.ts'
import { WireError } from '../wire/wire-error.ts'
import { ADVERTS_MAX, PULL_TIMEOUT_MS } from './constants.ts'
import { encodeAdvert, encodeAdvertCount } from './messages.ts'
import type { Advert } from './types.ts'

/**
 * Answers one pull once the other side has closed its end: how many adverts there are, then each of them.
 * @param self text of this peer's id
 * @throws WireError STREAM_ENDED, TIMED_OUT, LIMIT_EXCEEDED, MESSAGE_MALFORMED
 */
export async function answerPull(
  control: ControlStream<Uint8Array, Uint8Array>,
  source: () => readonly Advert[],
  self: string
): Promise<void> {
  const waiting = { signal: control.signal, timeoutMs: PULL_TIMEOUT_MS }
  // Not before the other side reads: what comes with the end right behind the negotiation can be lost.
  if ((await control.read(waiting)) !== undefined) {
    throw new WireError('MESSAGE_MALFORMED', 'a pull of adverts says nothing but its end')
  }
  const sent = source().slice(0, ADVERTS_MAX)
  await control.write(encodeAdvertCount(sent.length), waiting)
  for (const advert of sent) await control.write(encodeAdvert(advert, self), waiting)
  await endControl(control)
}
