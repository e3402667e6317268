import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '..', '..')
/** The launcher, as users start it. */
export const LAUNCHER = join(ROOT, 'bin', 'run.js')
/** Longest wait for anything that a process should say or do, in ms; generous, since the machine may be loaded. */
export const PATIENCE_MS = 60_000

/** A line of `--json`, as far as tests need to know it. */
export type Said = Readonly<Record<string, unknown>> & { readonly event?: string }
/** A {@link Said} with when its line came, in ms of `performance.now()`. */
export type TimedSaid = Said & { readonly atMs: number }

/** How a process ended and what it said. */
export interface Ended {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  readonly said: readonly TimedSaid[]
}

/** How a program is started. */
export interface StartOptions {
  /** Given on stdin, which then ends. */
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** Working folder. */
  readonly cwd?: string
  /** Program and arguments that run this Node instead of being started at once, such as `ip netns exec NAME`. */
  readonly through?: readonly string[]
}

/** One real process: collects what it says, waits for words, ends it by its pid. */
export class SwarmProcess {
  readonly child: ChildProcess
  readonly said: TimedSaid[] = []
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  readonly #watchers = new Set<() => void>()

  /** @param argv what follows the path of this Node */
  constructor(argv: readonly string[], options: StartOptions = {}) {
    const [program = process.execPath, ...args] = [...(options.through ?? []), process.execPath, ...argv]
    this.child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd })
    })
    const { stdin, stdout, stderr } = this.child
    // One that ends before it reads its stdin is no trouble of the test.
    stdin?.on('error', () => undefined)
    stdin?.end(options.input ?? '')
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#wake()
    })
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#onLine(line))
    this.ended = this.#collect()
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error('the process was not started')
    return this.child.pid
  }

  get running(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  /** Waits for a line of JSON. @throws when the process ends without it, or after {@link PATIENCE_MS} */
  async until(wanted: (said: TimedSaid) => boolean, what: string): Promise<TimedSaid> {
    return this.#until(() => this.said.find(wanted), what)
  }

  /** Waits for the next line of JSON from now on. */
  async untilNext(wanted: (said: TimedSaid) => boolean, what: string): Promise<TimedSaid> {
    const from = this.said.length
    return this.#until(() => this.said.slice(from).find(wanted), what)
  }

  /** Waits until stderr holds a text. */
  async untilStderr(text: string): Promise<void> {
    await this.#until(() => (this.stderr.includes(text) ? true : undefined), `"${text}" on stderr`)
  }

  /** Sends a signal to the process and to what its launcher runs. @returns when, in ms of `performance.now()` */
  kill(signal: NodeJS.Signals): number {
    const pids = this.pids()
    const atMs = performance.now()
    for (const pid of pids.reverse()) sendSignal(pid, signal)
    return atMs
  }

  /** The launcher, then the process that it started where this Node cannot replace itself. Empty once it ended. */
  pids(): number[] {
    return this.running ? [this.pid, ...childrenOf(this.pid)] : []
  }

  /** Ends it in order. @returns how it ended, with how long that took */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Ended & { readonly tookMs: number }> {
    const startedMs = this.kill(signal)
    const ended = await this.ended
    return { ...ended, tookMs: performance.now() - startedMs }
  }

  async #until<T>(look: () => T | undefined, what: string): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const check = (): void => {
      const found = look()
      if (found !== undefined) resolve(found)
      else if (!this.running) reject(new Error(`the process ended without ${what}\n${this.#tail()}`))
    }
    const timer = setTimeout(() => reject(new Error(`no ${what} in ${PATIENCE_MS} ms\n${this.#tail()}`)), PATIENCE_MS)
    this.#watchers.add(check)
    this.ended.then(check, check)
    check()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#watchers.delete(check)
    }
  }

  async #collect(): Promise<Ended> {
    const [exitCode, signal] = (await once(this.child, 'close')) as [number | null, NodeJS.Signals | null]
    return { exitCode, signal, stdout: this.stdout, stderr: this.stderr, said: this.said }
  }

  #onLine(line: string): void {
    this.stdout += `${line}\n`
    if (line.startsWith('{')) this.said.push({ ...(JSON.parse(line) as Said), atMs: performance.now() })
    this.#wake()
  }

  #wake(): void {
    for (const check of this.#watchers) check()
  }

  #tail(): string {
    return `${this.stdout.slice(-2_000)}\n${this.stderr.slice(-2_000)}`
  }
}

/** Linux alone tells; elsewhere the launcher's end has to do. */
function childrenOf(pid: number): number[] {
  if (process.platform !== 'linux') return []
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text
      .split(' ')
      .filter((part) => part !== '')
      .map(Number)
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')) return []
    throw error
  }
}

/** One that ended meanwhile needs no signal. */
function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
