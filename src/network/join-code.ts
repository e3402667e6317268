import { CODE_P2P, type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { bech32m } from '@scure/base'
import { EXIT_CODES, SwarmError } from '../errors.ts'

/** Version byte of the payload that this program writes and reads. */
export const JOIN_CODE_VERSION = 1
/** Bytes of a swarm secret. */
export const SWARM_SECRET_BYTES = 32
/** Longest swarm name, in UTF-8 bytes. */
export const SWARM_NAME_BYTES_MAX = 63
/** Most addresses that one code carries. */
export const JOIN_CODE_ADDRESSES_MAX = 3
/** Longest code: beyond this length a bech32 checksum no longer catches every single mistake. */
export const JOIN_CODE_CHARS_MAX = 1023

const PREFIX = 'swarm'
const DATA_START = PREFIX.length + 1
const CHECKSUM_CHARS = 6
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const ADDRESS_BYTES_MAX = 0xffff
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What a join code says: which swarm, and where to find it. */
export interface JoinCode {
  /** {@link SWARM_SECRET_BYTES} random bytes; whoever has them is a member. */
  readonly secret: Uint8Array
  /** Shown to people; 1 to {@link SWARM_NAME_BYTES_MAX} bytes of UTF-8 without control characters. */
  readonly name: string
  /** Dialable addresses of members, each ending in `/p2p/<peer id>`; at most {@link JOIN_CODE_ADDRESSES_MAX}. */
  readonly addresses: readonly Multiaddr[]
}

/**
 * Writes a join code. Of the addresses it takes the first {@link JOIN_CODE_ADDRESSES_MAX} that fit, so that callers can
 * pass all they know, best first.
 *
 * Payload: version, secret, name length and name, address count, and for each address its length (16 bits, big-endian)
 * and its binary form.
 *
 * @throws SwarmError with code JOIN_CODE_MALFORMED when the secret, the name or an address is not as {@link JoinCode} says.
 */
export function formatJoinCode(code: JoinCode): string {
  const name = new TextEncoder().encode(code.name)
  if (code.secret.byteLength !== SWARM_SECRET_BYTES) {
    throw malformed(`the secret has ${code.secret.byteLength} bytes, expected ${SWARM_SECRET_BYTES}`)
  }
  checkName(code.name, name.byteLength)
  const head = [JOIN_CODE_VERSION, ...code.secret, name.byteLength, ...name]
  const addresses: number[] = []
  let addressCount = 0
  for (const address of code.addresses) {
    const bytes = checkAddress(address).bytes
    const encoded = [bytes.byteLength >> 8, bytes.byteLength & 0xff, ...bytes]
    const fits = codeChars(head.length + 1 + addresses.length + encoded.length) <= JOIN_CODE_CHARS_MAX
    if (fits && addressCount < JOIN_CODE_ADDRESSES_MAX) {
      addresses.push(...encoded)
      addressCount++
    }
  }
  const payload = Uint8Array.from([...head, addressCount, ...addresses])
  return bech32m.encode(PREFIX, bech32m.toWords(payload), false)
}

/**
 * Reads untrusted text; white space anywhere, as left by a wrapped terminal line, is ignored.
 *
 * @throws SwarmError with code JOIN_CODE_TYPO when the text is not exactly what was printed, JOIN_CODE_VERSION when a
 * newer program wrote it, JOIN_CODE_MALFORMED when the checksum holds but the content does not.
 */
export function parseJoinCode(text: string): JoinCode {
  const code = text.replace(/\s+/gu, '')
  checkSpelling(code)
  const payload = readPayload(code)
  const version = payload[0]
  if (version !== JOIN_CODE_VERSION) {
    throw usage(
      'JOIN_CODE_VERSION',
      `join code has version ${version}, this program reads version ${JOIN_CODE_VERSION}: install the same swarm version on both machines`
    )
  }
  const reader = new PayloadReader(payload, 1)
  const secret = reader.take(SWARM_SECRET_BYTES, 'secret').slice()
  const name = decodeName(reader.take(reader.byte('name length'), 'name'))
  const addressCount = reader.byte('address count')
  if (addressCount > JOIN_CODE_ADDRESSES_MAX) {
    throw malformed(`it has ${addressCount} addresses, expected at most ${JOIN_CODE_ADDRESSES_MAX}`)
  }
  const addresses: Multiaddr[] = []
  for (let index = 0; index < addressCount; index++) {
    const byteLength = reader.byte('address length') * 256 + reader.byte('address length')
    addresses.push(decodeAddress(reader.take(byteLength, 'address').slice()))
  }
  reader.end()
  return { secret, name, addresses }
}

/** Finds the mistakes that can be named before the checksum is computed. */
function checkSpelling(code: string): void {
  if (code !== code.toLowerCase() && code !== code.toUpperCase()) {
    throw mistyped('upper and lower case are mixed')
  }
  const lower = code.toLowerCase()
  if (!lower.startsWith(`${PREFIX}1`)) {
    throw mistyped(`it starts with "${lower.slice(0, DATA_START)}", expected "${PREFIX}1"`)
  }
  for (let index = DATA_START; index < lower.length; index++) {
    const character = lower.charAt(index)
    if (!ALPHABET.includes(character)) {
      throw mistyped(`the character "${character}" at position ${index + 1} is never used in a join code`)
    }
  }
  const charsMin = codeChars(1 + SWARM_SECRET_BYTES + 1 + 1 + 1)
  if (lower.length < charsMin) {
    throw mistyped(`it is cut off after ${lower.length} characters, expected at least ${charsMin}`)
  }
  if (lower.length > JOIN_CODE_CHARS_MAX) {
    throw mistyped(`it has ${lower.length} characters, expected at most ${JOIN_CODE_CHARS_MAX}`)
  }
}

function readPayload(code: string): Uint8Array {
  try {
    const { words } = bech32m.decode(code as `${string}1${string}`, false)
    try {
      return bech32m.fromWords(words)
    } catch (cause) {
      throw malformed('its last bits are not zero', cause)
    }
  } catch (cause) {
    if (cause instanceof SwarmError) {
      throw cause
    }
    throw mistyped('checksum does not match', cause)
  }
}

/** Takes fields off the front of a payload and never reads past its end. */
class PayloadReader {
  readonly #payload: Uint8Array
  #offset: number

  constructor(payload: Uint8Array, offset: number) {
    this.#payload = payload
    this.#offset = offset
  }

  take(byteLength: number, field: string): Uint8Array {
    const end = this.#offset + byteLength
    if (end > this.#payload.byteLength) {
      throw malformed(`its ${field} ends at byte ${end}, but it has ${this.#payload.byteLength} bytes`)
    }
    const bytes = this.#payload.subarray(this.#offset, end)
    this.#offset = end
    return bytes
  }

  byte(field: string): number {
    return this.take(1, field)[0] ?? 0
  }

  end(): void {
    const left = this.#payload.byteLength - this.#offset
    if (left > 0) {
      throw malformed(`${left} bytes follow its last address`)
    }
  }
}

function decodeName(bytes: Uint8Array): string {
  let name: string
  try {
    name = utf8.decode(bytes)
  } catch (cause) {
    throw malformed('its name is not UTF-8', cause)
  }
  checkName(name, bytes.byteLength)
  return name
}

function checkName(name: string, byteLength: number): void {
  if (byteLength < 1 || byteLength > SWARM_NAME_BYTES_MAX) {
    throw malformed(`its name has ${byteLength} bytes, expected 1 to ${SWARM_NAME_BYTES_MAX}`)
  }
  // Names go to terminals and logs: no escape sequences, line breaks or text direction overrides from elsewhere.
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(name)) {
    throw malformed('its name has control characters')
  }
}

function decodeAddress(bytes: Uint8Array): Multiaddr {
  let address: Multiaddr
  try {
    address = multiaddr(bytes)
    address.getComponents()
  } catch (cause) {
    throw malformed('an address is not a multiaddr', cause)
  }
  return checkAddress(address)
}

function checkAddress(address: Multiaddr): Multiaddr {
  const components = address.getComponents()
  if (components.at(-1)?.code !== CODE_P2P || components.length < 2) {
    throw malformed(`the address ${address.toString()} does not end in /p2p/<peer id>`)
  }
  if (address.bytes.byteLength > ADDRESS_BYTES_MAX) {
    throw malformed(`an address has ${address.bytes.byteLength} bytes, expected at most ${ADDRESS_BYTES_MAX}`)
  }
  return address
}

/** Characters of a code whose payload has this many bytes. */
function codeChars(payloadBytes: number): number {
  return DATA_START + Math.ceil((payloadBytes * 8) / 5) + CHECKSUM_CHARS
}

function mistyped(what: string, cause?: unknown): SwarmError {
  return usage('JOIN_CODE_TYPO', `join code mistyped: ${what}; copy the whole code that "swarm invite" prints`, cause)
}

function malformed(what: string, cause?: unknown): SwarmError {
  return usage('JOIN_CODE_MALFORMED', `join code malformed: ${what}; ask for a fresh one ("swarm invite")`, cause)
}

function usage(code: string, message: string, cause?: unknown): SwarmError {
  return new SwarmError(code, message, { cause, exitCode: EXIT_CODES.usage })
}
