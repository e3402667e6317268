import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { parseJoinCode } from '../network/join-code.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { type HomePaths, resolveHome } from '../store/home.ts'
import { acquireHomeLock } from '../store/home-lock.ts'
import { type Identity, loadOrCreateIdentity } from '../store/identity.ts'
import { JournalStore } from '../store/journal-store.ts'
import { PeerStore } from '../store/peer-store.ts'
import {
  becomeMember,
  checkName,
  type Membership,
  NAME_BYTES_MAX,
  readMembership,
  rememberPeerName,
  requireMembership,
  SECRET_BYTES
} from '../store/swarm-secret.ts'
import type { OpenOptions } from './api-types.ts'

/** A home that this process owns. */
export interface OpenHome {
  readonly paths: HomePaths
  readonly identity: Identity
  readonly membership: Membership
  /** Human name of this peer. */
  readonly name: string
  /** True when this start founded the swarm. */
  readonly founded: boolean
  readonly database: Database
  readonly journal: JournalStore
  readonly peers: PeerStore
  /** Gives the home back. */
  close(): void
}

/**
 * Takes a home for this process: locks it, joins or founds the swarm as the options say, opens its store.
 *
 * @throws SwarmError HOME_IN_USE, NOT_A_MEMBER, ALREADY_MEMBER, JOIN_CODE_…, NAME_INVALID, IDENTITY_BROKEN
 */
export function openHome(options: OpenOptions): OpenHome {
  // A mistyped code or name is told before anything is made.
  const code = options.code === undefined ? undefined : parseJoinCode(options.code)
  if (options.name !== undefined) checkName(options.name, 'peer')
  const paths = resolveHome({ home: options.home })
  if (options.role === 'one-off') requireMembership(paths.swarm)
  const lock = acquireHomeLock(paths)
  try {
    const name = { ...(options.name !== undefined && { peerName: options.name }) }
    const before = readMembership(paths.swarm)
    if (code !== undefined) {
      const bootstrap = code.addresses.map((address) => address.toString())
      becomeMember(paths.swarm, { name: code.name, secret: code.secret, bootstrap, ...name })
    } else if (before === undefined) {
      becomeMember(paths.swarm, { name: defaultName(), secret: randomBytes(SECRET_BYTES), bootstrap: [], ...name })
    } else if (options.name !== undefined) {
      rememberPeerName(paths.swarm, options.name)
    }
    const membership = requireMembership(paths.swarm)
    const database = openDatabase(paths.database)
    return {
      paths,
      identity: loadOrCreateIdentity(paths.identity),
      membership,
      name: membership.peerName ?? defaultName(),
      founded: before === undefined && code === undefined,
      database,
      journal: new JournalStore(database),
      peers: new PeerStore(database),
      close: () => {
        database.close()
        lock.release()
      }
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** The host's name, cut to what fits. */
export function defaultName(): string {
  const name = Buffer.from(hostname()).subarray(0, NAME_BYTES_MAX).toString().replaceAll('\ufffd', '')
  return name === '' ? 'peer' : name
}
