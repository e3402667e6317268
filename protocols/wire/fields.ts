import { HASH_BYTES, PEER_ID_BYTES_MAX } from './constants.ts'
import { WireError } from './wire-error.ts'

const JOB_ID = /^[a-z2-7]{26}$/
const PEER_ID = /^[1-9A-Za-z]+$/
// Control characters could drive the terminal of whoever prints a name; lone surrogates have no UTF-8.
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029]/u
const utf8 = new TextEncoder()

/**
 * Runs a decoder on bytes from the network.
 * @throws WireError MESSAGE_MALFORMED whatever the decoder throws
 */
export function parseMessage<T>(name: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof WireError) throw error
    throw malformed(name, 'a decodable message', error)
  }
}

/** An integer from 0 (or `min`) to `max`, both inclusive. @throws WireError MESSAGE_MALFORMED */
export function checkUint(
  name: string,
  value: bigint | number,
  limits: { readonly min?: number; readonly max?: number } = {}
): number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = limits
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < min || number > max) {
    throw malformed(name, `an integer from ${min} to ${max}, not ${value}`)
  }
  return number
}

/** A finite number of at least 0. @throws WireError MESSAGE_MALFORMED */
export function checkAmount(name: string, value: number): number {
  if (!Number.isFinite(value) || value < 0) throw malformed(name, `a finite amount of at least 0, not ${value}`)
  return value
}

/** Printable text of `min` (1) to `maxBytes` bytes of UTF-8. @throws WireError MESSAGE_MALFORMED */
export function checkText(name: string, text: string, maxBytes: number, min = 1): string {
  const byteLength = text.length > maxBytes ? text.length : utf8.encode(text).byteLength
  if (byteLength < min || byteLength > maxBytes) {
    throw malformed(name, `text of ${min} to ${maxBytes} bytes, not ${byteLength}`)
  }
  if (UNPRINTABLE.test(text)) throw malformed(name, 'text without control characters')
  return text
}

/** The text form of a job id. @throws WireError MESSAGE_MALFORMED */
export function checkJobId(name: string, text: string): string {
  if (!JOB_ID.test(text)) throw malformed(name, 'a job id (26 characters of lower-case base32)')
  return text
}

/** Text that has the form of a peer id. @throws WireError MESSAGE_MALFORMED */
export function checkPeerId(name: string, text: string): string {
  if (text.length > PEER_ID_BYTES_MAX || !PEER_ID.test(text)) throw malformed(name, 'the text of a peer id')
  return text
}

/** A 32-byte hash. @throws WireError MESSAGE_MALFORMED */
export function checkHash(name: string, bytes: Uint8Array): Uint8Array {
  return checkBytes(name, bytes, { min: HASH_BYTES, max: HASH_BYTES })
}

/** Bytes of bounded length. @throws WireError MESSAGE_MALFORMED */
export function checkBytes(
  name: string,
  bytes: Uint8Array,
  limits: { readonly min?: number; readonly max: number }
): Uint8Array {
  const { min = 0, max } = limits
  if (bytes.byteLength < min || bytes.byteLength > max) {
    throw malformed(name, `${min} to ${max} bytes, not ${bytes.byteLength}`)
  }
  return bytes
}

/** A list of at most `max` items. @throws WireError MESSAGE_MALFORMED */
export function checkCount<T>(name: string, items: readonly T[], max: number): readonly T[] {
  if (items.length > max) throw malformed(name, `at most ${max} items, not ${items.length}`)
  return items
}

/** Translates a value through a closed table. @throws WireError MESSAGE_MALFORMED when it is not there */
export function checkKnown<Key, Value>(name: string, value: Key, known: ReadonlyMap<Key, Value>): Value {
  const found = known.get(value)
  if (found === undefined) throw malformed(name, `a known value, not ${String(value)}`)
  return found
}

function malformed(name: string, expected: string, cause?: unknown): WireError {
  return new WireError('MESSAGE_MALFORMED', `${name}: expected ${expected}`, cause === undefined ? {} : { cause })
}
