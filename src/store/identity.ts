import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { base58btc } from 'multiformats/bases/base58'
import { type PeerName, peerName } from '../domain/ids.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** Bytes of an Ed25519 public key, and of the seed that is its private half. */
const KEY_BYTES = 32
/** Protobuf heads of libp2p's PrivateKey and PublicKey messages for Ed25519 (type 1, then the key's length). */
const PRIVATE_HEAD = Uint8Array.of(0x08, 0x01, 0x12, 0x40)
const PUBLIC_HEAD = Uint8Array.of(0x08, 0x01, 0x12, 0x20)
/** Multihash "identity" of a libp2p public key: its code and its length. */
const IDENTITY_MULTIHASH_HEAD = Uint8Array.of(0x00, PUBLIC_HEAD.byteLength + KEY_BYTES)
/** DER heads of an Ed25519 key in PKCS#8 and SPKI. @see RFC 8410 */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

/** Who this peer is. Reading one costs no libp2p import. */
export interface Identity {
  readonly peerId: PeerName
  /** libp2p protobuf form of the public key. */
  readonly publicKey: Uint8Array
  /** libp2p protobuf form of the private key; secret. */
  readonly privateKey: Uint8Array
}

/**
 * Reads this home's identity, or makes one.
 *
 * @throws SwarmError with code FILE_EXPOSED when others may read the key, IDENTITY_BROKEN when it is no key.
 */
export function loadOrCreateIdentity(path: string): Identity {
  const found = loadIdentity(path)
  if (found !== undefined) return found
  const seed = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(-KEY_BYTES)
  const made = identityFromSeed(seed)
  const text = `${Buffer.from(made.privateKey).toString('base64')}\n`
  if (writePrivateFile(path, text, { replace: false })) return made
  const theirs = loadIdentity(path)
  if (theirs === undefined) throw broken(path, 'it vanished while it was read')
  return theirs
}

/**
 * Reads this home's identity.
 *
 * @returns undefined when there is none yet.
 * @throws SwarmError with code FILE_EXPOSED when others may read the key, IDENTITY_BROKEN when it is no key.
 */
export function loadIdentity(path: string): Identity | undefined {
  const text = readPrivateFile(path)?.trim()
  if (text === undefined) return undefined
  const bytes = Buffer.from(text, 'base64')
  const expected = PRIVATE_HEAD.byteLength + 2 * KEY_BYTES
  if (bytes.byteLength !== expected || bytes.toString('base64') !== text) {
    throw broken(path, `expected ${expected} bytes in base64`)
  }
  const seedEnd = PRIVATE_HEAD.byteLength + KEY_BYTES
  const identity = identityFromSeed(bytes.subarray(PRIVATE_HEAD.byteLength, seedEnd))
  // Covers the head and the stored public half in one go.
  if (!bytes.equals(identity.privateKey)) throw broken(path, 'its two halves do not belong together')
  return identity
}

/** The identity as libp2p wants it. Imports libp2p's key code, which takes 0.1 s. */
export async function libp2pPrivateKey(identity: Identity): Promise<PrivateKey> {
  const { privateKeyFromProtobuf } = await import('@libp2p/crypto/keys')
  return privateKeyFromProtobuf(identity.privateKey)
}

/** @returns the key for node:crypto. */
export function signingKey(identity: Identity): KeyObject {
  const seed = identity.privateKey.subarray(PRIVATE_HEAD.byteLength, PRIVATE_HEAD.byteLength + KEY_BYTES)
  return privateKeyObject(seed)
}

/** Takes untrusted bytes. @returns undefined unless they are the one libp2p encoding of an Ed25519 public key. */
export function parsePublicKey(publicKey: Uint8Array): KeyObject | undefined {
  if (publicKey.byteLength !== PUBLIC_HEAD.byteLength + KEY_BYTES) return undefined
  if (!PUBLIC_HEAD.every((byte, index) => publicKey[index] === byte)) return undefined
  const der = Buffer.concat([SPKI_HEAD, publicKey.subarray(PUBLIC_HEAD.byteLength)])
  return createPublicKey({ key: der, format: 'der', type: 'spki' })
}

/** @returns the text form of the peer id that belongs to a public key in libp2p's Ed25519 form. */
export function peerIdOf(publicKey: Uint8Array): PeerName {
  return peerName(base58btc.baseEncode(Buffer.concat([IDENTITY_MULTIHASH_HEAD, publicKey])))
}

/** @returns the identity of a 32-byte Ed25519 seed, which must be random and is secret. */
export function identityFromSeed(seed: Uint8Array): Identity {
  const key = createPublicKey(privateKeyObject(seed)).export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES)
  const publicKey = Uint8Array.from([...PUBLIC_HEAD, ...key])
  const privateKey = Uint8Array.from([...PRIVATE_HEAD, ...seed, ...key])
  return { peerId: peerIdOf(publicKey), publicKey, privateKey }
}

function privateKeyObject(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
}

function broken(path: string, why: string): SwarmError {
  return new SwarmError(
    'IDENTITY_BROKEN',
    `${path} is no identity of this program (${why}): restore it from a backup, or move it away to become a new peer`,
    { exitCode: EXIT_CODES.usage }
  )
}
