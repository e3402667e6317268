import { rmSync } from 'node:fs'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** Bytes of a swarm secret. */
export const SECRET_BYTES = 32
/** Longest name of a swarm or a peer, in UTF-8 bytes. */
export const NAME_BYTES_MAX = 63
/** Most bootstrap addresses kept. */
export const BOOTSTRAP_MAX = 16

const VERSION = 1
const ADDRESS_CHARS_MAX = 1024

/** That this home belongs to a swarm, and which. */
export interface Membership {
  readonly name: string
  /** {@link SECRET_BYTES} bytes. */
  readonly secret: Uint8Array
  /** Multiaddrs that the join codes named; newest first, at most {@link BOOTSTRAP_MAX}. */
  readonly bootstrap: readonly string[]
  /** Value of `--name` when it was last given. */
  readonly peerName?: string
}

/**
 * @returns this home's membership, or undefined when it has none.
 * @throws SwarmError with code FILE_EXPOSED when others may read it, MEMBERSHIP_BROKEN when it says nothing sensible.
 */
export function readMembership(path: string): Membership | undefined {
  const text = readPrivateFile(path)
  return text === undefined ? undefined : parseMembership(text, path)
}

/** Like {@link readMembership}. @throws SwarmError with code NOT_A_MEMBER when there is none. */
export function requireMembership(path: string): Membership {
  const membership = readMembership(path)
  if (membership !== undefined) return membership
  throw new SwarmError(
    'NOT_A_MEMBER',
    `this home belongs to no swarm yet (no ${path}): run "swarm join CODE", or "swarm join" to found one`,
    { exitCode: EXIT_CODES.notAMember }
  )
}

/**
 * Makes this home a member. Joining the swarm it is in already only adds addresses and remembers the name.
 *
 * @throws SwarmError with code ALREADY_MEMBER when it is in another swarm.
 */
export function becomeMember(path: string, wanted: Membership): Membership {
  checkName(wanted.name, 'swarm')
  if (wanted.secret.byteLength !== SECRET_BYTES) {
    throw new SwarmError('SECRET_LENGTH', `a swarm secret has ${SECRET_BYTES} bytes, got ${wanted.secret.byteLength}`)
  }
  const current = readMembership(path)
  if (current !== undefined && !sameBytes(current.secret, wanted.secret)) throw alreadyMember(path, current, wanted)
  const peerName = wanted.peerName ?? current?.peerName
  if (peerName !== undefined) checkName(peerName, 'peer')
  const membership: Membership = {
    name: current?.name ?? wanted.name,
    secret: wanted.secret,
    bootstrap: [...new Set([...wanted.bootstrap, ...(current?.bootstrap ?? [])])].slice(0, BOOTSTRAP_MAX),
    ...(peerName === undefined ? {} : { peerName })
  }
  if (writePrivateFile(path, formatMembership(membership), { replace: current !== undefined })) return membership
  // Another process became a member in between; what it wrote decides.
  return becomeMember(path, wanted)
}

/** Remembers the name of this peer. @throws SwarmError with code NOT_A_MEMBER, NAME_INVALID */
export function rememberPeerName(path: string, peerName: string): void {
  becomeMember(path, { ...requireMembership(path), peerName })
}

/** Ends this home's membership; ledger, jobs and identity stay. */
export function leaveSwarm(path: string): void {
  rmSync(path, { force: true })
}

/** @throws SwarmError with code NAME_INVALID unless the text may be the name of a swarm or a peer. */
export function checkName(name: string, of: 'swarm' | 'peer'): void {
  const byteLength = Buffer.byteLength(name)
  if (byteLength > 0 && byteLength <= NAME_BYTES_MAX && !/\p{Cc}/u.test(name) && name.isWellFormed()) return
  throw new SwarmError(
    'NAME_INVALID',
    `a ${of} name has 1 to ${NAME_BYTES_MAX} bytes and no control characters, got ${JSON.stringify(name.slice(0, 80))} (${byteLength} bytes)`,
    { exitCode: EXIT_CODES.usage }
  )
}

function formatMembership(membership: Membership): string {
  const { name, secret, bootstrap, peerName } = membership
  return `${JSON.stringify({ version: VERSION, name, secret: Buffer.from(secret).toString('hex'), bootstrap, peerName }, null, 2)}\n`
}

function parseMembership(text: string, path: string): Membership {
  const fields = parseObject(text)
  const { version, name, secret, bootstrap, peerName } = fields ?? {}
  if (version !== VERSION) throw broken(path, `version ${String(version)}, expected ${VERSION}`)
  if (typeof name !== 'string') throw broken(path, 'it has no name')
  if (typeof secret !== 'string' || !/^[0-9a-f]{64}$/u.test(secret)) throw broken(path, 'its secret is damaged')
  if (!isAddressList(bootstrap)) throw broken(path, 'its addresses are damaged')
  if (peerName !== undefined && typeof peerName !== 'string') throw broken(path, 'its peer name is damaged')
  return {
    name,
    secret: new Uint8Array(Buffer.from(secret, 'hex')),
    bootstrap,
    ...(peerName === undefined ? {} : { peerName })
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // The caller says which file it was.
    return undefined
  }
}

function isAddressList(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length <= BOOTSTRAP_MAX &&
    value.every((address) => typeof address === 'string' && address.length <= ADDRESS_CHARS_MAX)
  )
}

function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

function alreadyMember(path: string, current: Membership, wanted: Membership): SwarmError {
  return new SwarmError(
    'ALREADY_MEMBER',
    `this home is a member of the swarm "${current.name}", so it cannot join "${wanted.name}": give another --home, or leave the first by removing ${path}`,
    { exitCode: EXIT_CODES.usage }
  )
}

function broken(path: string, why: string): SwarmError {
  return new SwarmError(
    'MEMBERSHIP_BROKEN',
    `${path} cannot be used (${why}): remove it and join again with the code`,
    {
      exitCode: EXIT_CODES.usage
    }
  )
}
