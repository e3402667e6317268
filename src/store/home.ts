import { createHash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { EXIT_CODES, SwarmError } from '../errors.ts'

/** Longest path of a unix socket that every platform binds, in bytes (macOS has 104 with the closing NUL). */
export const SOCKET_PATH_BYTES_MAX = 103

/** Mode of every folder that holds secrets: the owner's alone. */
export const PRIVATE_FOLDER_MODE = 0o700
/** Mode of every file that holds secrets: the owner's alone. */
export const PRIVATE_FILE_MODE = 0o600

/** Where a home keeps its things; absolute paths. */
export interface HomePaths {
  readonly folder: string
  /** Private key of this peer. */
  readonly identity: string
  /** Swarm secret, name and bootstrap addresses. */
  readonly swarm: string
  /** Jobs, chunks, receipts, feeds, peers. */
  readonly database: string
  /** What libp2p remembers. */
  readonly datastore: string
  /** Held locked by the one process that owns the home. */
  readonly lock: string
  /** Process id of the owner, for people. */
  readonly pid: string
  /** Refused results, kept for a look. */
  readonly evidence: string
  /** The local API: a unix socket, or a named pipe on Windows. */
  readonly socket: string
}

/** What decides where the home is; all but `home` default to this process's own. */
export interface HomeOptions {
  /** Value of `--home`. */
  readonly home?: string | undefined
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly platform?: NodeJS.Platform
  /** Folder of the user. */
  readonly userFolder?: string
  /** Folder for temporary files. */
  readonly temporaryFolder?: string
}

/** Finds the home: `--home`, else SWARM_HOME, else XDG_DATA_HOME/swarm, else the platform's data folder. Creates nothing. */
export function resolveHome(options: HomeOptions = {}): HomePaths {
  const env = options.env ?? process.env
  const platform = options.platform ?? process.platform
  const folder = resolve(given(options.home) ?? given(env.SWARM_HOME) ?? dataFolder(env, platform, options.userFolder))
  const at = (name: string): string => join(folder, name)
  return {
    folder,
    identity: at('identity.key'),
    swarm: at('swarm.json'),
    database: at('swarm.db'),
    datastore: at('libp2p.db'),
    lock: at('lock.db'),
    pid: at('swarm.pid'),
    evidence: at('evidence'),
    socket: socketPath(folder, env, platform, options.temporaryFolder ?? tmpdir())
  }
}

/**
 * Creates the home and the socket's folder, for the owner alone. A home that is open to others is closed.
 *
 * @throws SwarmError with code HOME_UNUSABLE when a folder cannot be made, HOME_UNSAFE when the socket's folder belongs to
 * somebody else.
 */
export function createHome(paths: HomePaths): void {
  makePrivateFolder(paths.folder, { shared: false })
  const socketFolder = dirname(paths.socket)
  if (paths.socket.startsWith('\\\\') || socketFolder === paths.folder) return
  makePrivateFolder(socketFolder, { shared: true })
}

/** @param place.shared whether others may create things beside it */
function makePrivateFolder(folder: string, place: { shared: boolean }): void {
  try {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER_MODE })
    if (process.platform === 'win32') return
    const status = lstatSync(folder)
    const owner = process.getuid?.()
    // Somebody may have put a folder or a link of theirs where ours would be. Root may use another's home, though.
    if (owner !== undefined && status.uid !== owner && (owner !== 0 || place.shared)) {
      throw new SwarmError(
        'HOME_UNSAFE',
        `${folder} belongs to user ${status.uid}, expected ${owner}: use another --home`,
        {
          exitCode: EXIT_CODES.usage
        }
      )
    }
    if (status.isDirectory() && (status.mode & 0o077) !== 0) chmodSync(folder, PRIVATE_FOLDER_MODE)
  } catch (error) {
    if (error instanceof SwarmError) throw error
    throw new SwarmError('HOME_UNUSABLE', `cannot use ${folder} as home: ${(error as Error).message}`, {
      cause: error,
      exitCode: EXIT_CODES.usage
    })
  }
}

function given(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text
}

function dataFolder(env: HomeEnv, platform: NodeJS.Platform, userFolder: string = homedir()): string {
  const data = given(env.XDG_DATA_HOME)
  // The XDG specification says to ignore a relative path.
  if (data !== undefined && isAbsolute(data)) return join(data, 'swarm')
  if (platform === 'darwin') return join(userFolder, 'Library', 'Application Support', 'swarm')
  if (platform === 'win32') return join(given(env.LOCALAPPDATA) ?? join(userFolder, 'AppData', 'Local'), 'swarm')
  return join(userFolder, '.local', 'share', 'swarm')
}

type HomeEnv = Readonly<Record<string, string | undefined>>

function socketPath(folder: string, env: HomeEnv, platform: NodeJS.Platform, temporaryFolder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  if (platform === 'win32') return `\\\\.\\pipe\\swarm-${name}`
  const runtime = given(env.XDG_RUNTIME_DIR)
  const own = `swarm-${userInfo().uid}`
  const candidates = [join(folder, 'api.sock')]
  if (runtime !== undefined && isAbsolute(runtime)) candidates.push(join(runtime, 'swarm', `${name}.sock`))
  candidates.push(join(temporaryFolder, own, `${name}.sock`))
  const fits = candidates.find((path) => Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX)
  return fits ?? join('/tmp', own, `${name}.sock`)
}
