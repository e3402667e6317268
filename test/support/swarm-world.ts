import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { resolveHome } from '../../src/store/home.ts'
import { type Ended, LAUNCHER, type StartOptions, SwarmProcess, type TimedSaid } from './swarm-process.ts'

/** Where every peer of a test listens. */
const LISTEN = ['--no-mdns', '--listen', '/ip4/127.0.0.1/tcp/0']
/** A line of a stack trace. */
const STACK_TRACE = /^\s+at .*(:\d+:\d+\)?|<anonymous>\)?|node:internal.*)$/m

/** What `swarm join --json` says first. */
export interface Ready {
  readonly peerId: string
  readonly addresses: readonly string[]
  readonly code: string
}

/** A peer that runs `swarm join`. */
export interface JoinedPeer {
  readonly name: string
  readonly home: string
  readonly process: SwarmProcess
  readonly ready: Ready
}

/**
 * Owns a temporary folder with the homes of one test's swarm and every process it starts. {@link SwarmWorld.close} ends
 * them all and tells what they left behind.
 */
export class SwarmWorld {
  // Short, since a unix socket's path is.
  readonly folder = mkdtempSync('/tmp/swarm-')
  readonly #processes: SwarmProcess[] = []

  home(name: string): string {
    return join(this.folder, name)
  }

  path(name: string): string {
    return join(this.folder, name)
  }

  /** Starts a peer and waits until it is ready. Founds a swarm unless given a code. */
  async join(name: string, args: readonly string[] = [], options: StartOptions = {}): Promise<JoinedPeer> {
    const process = this.start(name, ['join', ...args, '--name', name, ...LISTEN, '--json'], options)
    const ready = (await process.until(({ event }) => event === 'ready', 'ready line')) as unknown as Ready
    return { name, home: this.home(name), process, ready }
  }

  /** Starts a peer of somebody's swarm, with one kernel thread, and waits until the two are connected. */
  async joinWith(other: JoinedPeer, name: string, args: readonly string[] = []): Promise<JoinedPeer> {
    const seen = other.process.untilNext(
      (said) => said.event === 'peer-connected' && said.name === name,
      `connection of ${name}`
    )
    const peer = await this.join(name, ['-', '--threads', '1', ...args], { input: other.ready.code })
    await seen
    await peer.process.until(
      (said) => said.event === 'peer-connected' && said.peerId === other.ready.peerId,
      `connection to ${other.name}`
    )
    return peer
  }

  /** Makes a home a member, without a running process. */
  async makeMember(name: string, code: string): Promise<string> {
    const peer = await this.join(name, ['-'], { input: code })
    await peer.process.stop()
    return peer.home
  }

  /** Starts any command on a home. */
  start(home: string, args: readonly string[], options: StartOptions = {}): SwarmProcess {
    const argv = [LAUNCHER, ...args, '--home', this.home(home)]
    return this.add(new SwarmProcess(argv, { cwd: this.folder, ...options }))
  }

  /** Takes care of a process that was started otherwise. */
  add(process: SwarmProcess): SwarmProcess {
    this.#processes.push(process)
    return process
  }

  /** Runs any command on a home to its end. */
  async run(home: string, args: readonly string[], options: StartOptions = {}): Promise<Ended> {
    return this.start(home, args, options).ended
  }

  /** Starts `submit --json` in a home. One that is not joined listens as tests do. */
  submit(home: string, input: string, args: readonly string[] = []): SwarmProcess {
    return this.start(home, ['submit', input, '--json', ...LISTEN, ...args])
  }

  /** Runs a job to its last event. @throws when that is not `done` */
  async done(submitting: SwarmProcess): Promise<Done> {
    const { said, stderr, exitCode } = await submitting.ended
    const last = said.at(-1)
    if (last?.event !== 'done')
      throw new Error(`the job ended with ${JSON.stringify(last)}, exit ${exitCode}\n${stderr}`)
    return last as unknown as Done
  }

  async folderFor(name: string): Promise<string> {
    const path = this.path(name)
    await mkdir(path, { recursive: true })
    return path
  }

  /** Ends all processes, removes the folder. @returns everything that should not be: to be compared with `[]` */
  async close(): Promise<string[]> {
    const faults: string[] = []
    const pids = this.#processes.flatMap((process) => [process.pid, ...process.pids()])
    const ends = await Promise.all(this.#processes.map((process) => this.#end(process)))
    for (const [index, { stdout, stderr }] of ends.entries()) {
      const trace = STACK_TRACE.exec(stdout) ?? STACK_TRACE.exec(stderr)
      if (trace !== null)
        faults.push(`stack trace in ${this.#processes[index]?.child.spawnargs.join(' ')}: ${trace[0]}`)
    }
    const left = pids.filter(isAlive)
    if (left.length > 0) faults.push(`processes left behind: ${left.join(', ')}`)
    rmSync(this.folder, { recursive: true, force: true })
    return faults
  }

  async #end(process: SwarmProcess): Promise<Ended> {
    if (process.running) {
      // One that was stopped with SIGSTOP ends only when it goes on.
      process.kill('SIGTERM')
      process.kill('SIGCONT')
    }
    const timer = setTimeout(() => process.kill('SIGKILL'), 15_000)
    try {
      return await process.ended
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The last event of a job that is done, as far as tests need it. */
export interface Done {
  readonly jobId: string
  readonly outputBytes: number
  readonly chunks: number
  readonly localChunks: number
  readonly releases: number
  readonly duplicates: number
  readonly totalMs: number
  readonly computeMs: number
  readonly transferMs: number
  readonly checkMs: number
  readonly efficiency: number
  readonly grants: {
    readonly claims: number
    readonly p50Ms: number
    readonly p99Ms: number
    readonly mostMs: number
  }
  readonly summary: string
  readonly peers: readonly {
    readonly peerId: string
    readonly name: string
    readonly chunks: number
    /** Sent to the peer. */
    readonly bytesIn: number
  }[]
  readonly outputs: { readonly result: string; readonly ledger: string; readonly manifest: string }
}

/** Sockets that a home still has once its process ended in order. */
export function leftBehind(home: string): string[] {
  return [resolveHome({ home }).socket].filter((path) => existsSync(path))
}

/** Final names in a folder of outputs; a job that did not end must not have any. */
export function finalNames(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => !name.startsWith('.')) : []
}

/** Whether a process runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

/** Events of one kind. */
export function eventsOf(said: readonly TimedSaid[], event: string): readonly TimedSaid[] {
  return said.filter((each) => each.event === event)
}
