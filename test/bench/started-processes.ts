import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

// Owns every process that a benchmark starts; the benchmark ends them all in `finally`, by pid.

/** Time for a process to end by itself before it is killed. */
const END_TIMEOUT_MS = 3_000
/** What resets a process's peak to what it uses now: proc_pid_clear_refs(5). */
const RESET_PEAK = '5'

/** Processes with a common end. */
export class StartedProcesses {
  readonly #running = new Map<ChildProcess, Promise<void>>()
  #closed = false

  /** Starts a process in a group of its own, so that what it starts itself ends with it. */
  start(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
    if (this.#closed) throw new Error('the benchmark was stopped')
    const child = spawn(command, args, { ...options, detached: process.platform !== 'win32' })
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve())
      child.once('exit', () => resolve())
    })
    this.#running.set(
      child,
      ended.then(() => {
        this.#running.delete(child)
      })
    )
    return child
  }

  /** Asks one process and its group to end, and kills them when they do not. */
  async end(child: ChildProcess): Promise<void> {
    const ended = this.#running.get(child)
    if (ended === undefined) return
    signalGroup(child, 'SIGTERM')
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), END_TIMEOUT_MS)
    await ended
    clearTimeout(timer)
  }

  /** Waits for a process to end by itself. @throws Error unless it ended well */
  async succeeded(child: ChildProcess): Promise<void> {
    await this.#running.get(child)
    if (child.exitCode !== 0)
      throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode ?? child.signalCode}`)
  }

  /** Ends everything; nothing starts any more. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#running.keys()].map((child) => this.end(child)))
  }

  /** Runs a program to its end. @returns what it wrote to stdout @throws Error with its stderr when it fails */
  async run(command: string, args: readonly string[], options: SpawnOptions = {}): Promise<string> {
    const child = this.start(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, err, code] = await Promise.all([readAll(child.stdout), readAll(child.stderr), exitCode(child)])
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${err.trim() || out.trim()}`)
    return out
  }
}

/** What a process prints, as objects, one a line. Reads on to the end in the background when the caller stops early. */
export async function* jsonLines(child: ChildProcess): AsyncGenerator<Record<string, unknown>> {
  const { stdout } = child
  if (stdout === null) throw new Error('the process has no stdout')
  try {
    for await (const line of createInterface({ input: stdout })) yield JSON.parse(line)
  } finally {
    stdout.resume()
  }
}

/** Most memory a process had in use since its start or {@link resetPeak}; bytes. NaN where the system does not tell. */
export function readPeakBytes(pid: number | 'self'): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) * 1024
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Number.NaN
    throw error
  }
}

/** Starts counting the peak anew. */
export function resetPeak(pid: number): void {
  if (process.platform === 'linux') writeFileSync(`/proc/${pid}/clear_refs`, RESET_PEAK)
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch (error) {
    // It ended in the meantime.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function readAll(stream: NodeJS.ReadableStream | null): Promise<string> {
  let text = ''
  for await (const part of stream ?? []) text += part.toString()
  return text
}

function exitCode(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'no code'))
  })
}
