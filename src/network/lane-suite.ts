import {
  type CipherChaCha20Poly1305,
  type CipherChaCha20Poly1305Types,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherChaCha20Poly1305,
  type KeyObject
} from 'node:crypto'
import { hrtime } from 'node:process'

/** A cipher that lanes can use; the number is its bit in an offer, and its byte in a record. Frozen: append only. */
export const LaneSuite = { aes256Gcm: 1, chaCha20Poly1305: 2 } as const

/** One of the suites. */
export type LaneSuite = (typeof LaneSuite)[keyof typeof LaneSuite]

/** Bytes of a key, in every suite. */
export const SUITE_KEY_BYTES = 32
/** Bytes of a nonce, in every suite. */
export const SUITE_NONCE_BYTES = 12
/** Bytes of a tag, in every suite. */
export const SUITE_TAG_BYTES = 16

const OPTIONS = { authTagLength: SUITE_TAG_BYTES } as const
const TRIAL_BYTES = 64 * 1024
const TRIALS = 4

let quick: number | undefined

/**
 * The suites that are quick on this machine, a bit each; measured once, in under a millisecond where the processor knows
 * AES. ChaCha20 always counts: it is what is left where AES is slow.
 */
export function quickSuites(): number {
  quick ??= isAesQuick() ? LaneSuite.aes256Gcm | LaneSuite.chaCha20Poly1305 : LaneSuite.chaCha20Poly1305
  return quick
}

/** The suite for a lane between two ends: AES where it is quick at both. */
export function chooseSuite(here: number, there: number): LaneSuite {
  return (here & there & LaneSuite.aes256Gcm) !== 0 ? LaneSuite.aes256Gcm : LaneSuite.chaCha20Poly1305
}

/** Whether a byte from the wire names a suite. */
export function isSuite(value: number): value is LaneSuite {
  return value === LaneSuite.aes256Gcm || value === LaneSuite.chaCha20Poly1305
}

/** What each suite is called, by OpenSSL and where keys are derived. */
export function suiteName(suite: LaneSuite): 'aes-256-gcm' | 'chacha20-poly1305' {
  return suite === LaneSuite.aes256Gcm ? 'aes-256-gcm' : 'chacha20-poly1305'
}

/** Begins to seal one record of `plaintextLength` bytes, whose head is authenticated with it. */
export function beginSealing(
  suite: LaneSuite,
  key: KeyObject,
  nonce: Uint8Array,
  head: Uint8Array,
  plaintextLength: number
): CipherChaCha20Poly1305 {
  return createCipheriv(algorithm(suite), key, nonce, OPTIONS).setAAD(head, { plaintextLength })
}

/** Begins to open one record; its `final` throws when the record is not authentic. */
export function beginOpening(
  suite: LaneSuite,
  key: KeyObject,
  nonce: Uint8Array,
  head: Uint8Array,
  plaintextLength: number
): DecipherChaCha20Poly1305 {
  return createDecipheriv(algorithm(suite), key, nonce, OPTIONS).setAAD(head, { plaintextLength })
}

/** Both suites are used in the same way, and Node's types only differ in their names: the stricter ones serve both. */
function algorithm(suite: LaneSuite): CipherChaCha20Poly1305Types {
  return suiteName(suite) as CipherChaCha20Poly1305Types
}

function isAesQuick(): boolean {
  return trialNs(LaneSuite.aes256Gcm) <= trialNs(LaneSuite.chaCha20Poly1305)
}

/** The best of a few, since the first one also sets OpenSSL up. */
function trialNs(suite: LaneSuite): number {
  const key = createSecretKey(new Uint8Array(SUITE_KEY_BYTES))
  const nonce = new Uint8Array(SUITE_NONCE_BYTES)
  const bytes = new Uint8Array(TRIAL_BYTES)
  let best = Number.POSITIVE_INFINITY
  for (let trial = 0; trial < TRIALS; trial++) {
    const startNs = hrtime.bigint()
    beginSealing(suite, key, nonce, new Uint8Array(0), TRIAL_BYTES).update(bytes)
    best = Math.min(best, Number(hrtime.bigint() - startNs))
  }
  return best
}
