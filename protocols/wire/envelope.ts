import { equals } from 'uint8arrays/equals'
import { Envelope } from './pb/envelope.ts'
import type { SignedEnvelope, Signer, VerifySignature } from './receipt-types.ts'
import { WireError } from './wire-error.ts'

// Only Ed25519 is spoken here: its libp2p protobuf form is this prefix and 32 bytes, and its signatures have 64.
const ED25519_PREFIX = Uint8Array.of(0x08, 0x01, 0x12, 0x20)
const PUBLIC_KEY_BYTES = 36
const SIGNATURE_BYTES = 64
const PAYLOAD_TYPE_BYTES_MAX = 64
/** Upper bound of any envelope, in bytes. Each use has a lower one of its own. */
export const ENVELOPE_BYTES_MAX = 64 * 1024

const utf8 = new TextEncoder()

/**
 * The bytes that a signature covers: domain, payload type and payload, each after its length as a varint.
 * @see https://github.com/libp2p/specs/blob/master/RFC/0002-signed-envelopes.md
 */
export function signingBytes(domain: string, payloadType: Uint8Array, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts = [utf8.encode(domain), payloadType, payload]
  const lengths = parts.map((part) => varint(part.byteLength))
  const total = [...parts, ...lengths].reduce((sum, part) => sum + part.byteLength, 0)
  const bytes = new Uint8Array(total)
  let at = 0
  parts.forEach((part, index) => {
    const length = lengths[index] ?? new Uint8Array(0)
    bytes.set(length, at)
    bytes.set(part, at + length.byteLength)
    at += length.byteLength + part.byteLength
  })
  return bytes
}

/** Encodes an envelope in the one form that {@link decodeEnvelope} takes. */
export function encodeEnvelope(envelope: SignedEnvelope): Uint8Array {
  return Envelope.encode({
    publicKey: owned(envelope.publicKey),
    payloadType: owned(envelope.payloadType),
    payload: owned(envelope.payload),
    signature: owned(envelope.signature)
  })
}

/**
 * Takes an envelope apart without checking its signature.
 *
 * Only the canonical encoding is taken. Otherwise anyone could change the hash of another's signed bytes, by adding a
 * field that the signature does not cover, and so forge what looks like a fork of that author's feed.
 * @throws WireError ENVELOPE_MALFORMED
 */
export function decodeEnvelope(bytes: Uint8Array): SignedEnvelope {
  if (bytes.byteLength > ENVELOPE_BYTES_MAX) throw malformed(`${bytes.byteLength} bytes are too many`)
  const envelope = decodeFields(bytes)
  if (!isEd25519(envelope.publicKey)) throw malformed('the public key is no Ed25519 key')
  if (envelope.signature.byteLength !== SIGNATURE_BYTES) throw malformed('the signature is no Ed25519 signature')
  if (envelope.payloadType.byteLength > PAYLOAD_TYPE_BYTES_MAX) throw malformed('the payload type is too long')
  if (!equals(encodeEnvelope(envelope), bytes)) throw malformed('the encoding is not canonical')
  return envelope
}

/** Signs a payload and wraps it. @returns the envelope's bytes, to be kept and sent as they are */
export async function sealEnvelope(
  domain: string,
  payloadType: Uint8Array,
  payload: Uint8Array,
  signer: Signer
): Promise<Uint8Array> {
  const signature = await signer.sign(signingBytes(domain, payloadType, payload))
  return encodeEnvelope({ publicKey: signer.publicKey, payloadType, payload, signature })
}

/**
 * Opens an envelope that came from anyone. What `verify` throws is a failure of our own and rises as it is.
 * @throws WireError ENVELOPE_MALFORMED, or SIGNATURE_INVALID when it was not signed under this domain and type
 */
export async function openEnvelope(
  bytes: Uint8Array,
  domain: string,
  verify: VerifySignature,
  expected: { readonly payloadType: Uint8Array }
): Promise<{ publicKey: Uint8Array; payload: Uint8Array }> {
  const { publicKey, payloadType, payload, signature } = decodeEnvelope(bytes)
  if (!equals(payloadType, expected.payloadType)) throw malformed('the payload is of another type')
  const isValid = await verify(publicKey, signingBytes(domain, payloadType, payload), signature)
  if (!isValid) throw new WireError('SIGNATURE_INVALID', `envelope: the signature is wrong under the domain ${domain}`)
  return { publicKey, payload }
}

function decodeFields(bytes: Uint8Array): SignedEnvelope {
  try {
    return Envelope.decode(bytes)
  } catch (cause) {
    throw malformed('it cannot be decoded', cause)
  }
}

function malformed(what: string, cause?: unknown): WireError {
  return new WireError('ENVELOPE_MALFORMED', `envelope: ${what}`, cause === undefined ? {} : { cause })
}

function isEd25519(publicKey: Uint8Array): boolean {
  return publicKey.byteLength === PUBLIC_KEY_BYTES && ED25519_PREFIX.every((byte, index) => publicKey[index] === byte)
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80)
    rest = Math.floor(rest / 0x80)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/** The generated codecs are typed for bytes that are not shared between threads; ours never are. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>
}
