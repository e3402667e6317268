import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { jsonLines, readPeakBytes, resetPeak, type StartedProcesses } from './started-processes.ts'

/** The command line under test. */
export const RUN = join(import.meta.dirname, '..', '..', 'bin', 'run.js')
/** How long a job waits for its two workers. */
const WAIT = '30s'

/** What a benchmark keeps of a finished job. */
export interface JobFigures {
  readonly totalMs: number
  readonly chunks: number
  readonly localChunks: number
  readonly summary: string
  readonly peers: readonly { readonly name: string; readonly chunks: number }[]
  /** Peaks while the job ran, in bytes. */
  readonly submitterBytes: number
  readonly workerBytes: number
}

interface Member {
  readonly child: ChildProcess
  readonly pid: number
  readonly code: string
}

/** Three joined homes on this machine: one that jobs are submitted through, and two workers that it is connected to. */
export class SwarmOfThree {
  readonly #processes: StartedProcesses
  readonly #folder: string
  readonly #members: readonly Member[]

  private constructor(processes: StartedProcesses, folder: string, members: readonly Member[]) {
    this.#processes = processes
    this.#folder = folder
    this.#members = members
  }

  static async start(processes: StartedProcesses, folder: string): Promise<SwarmOfThree> {
    const submitter = await joinSwarm(processes, join(folder, 'submitter'))
    const workers = await Promise.all(
      ['left', 'right'].map((name) => joinSwarm(processes, join(folder, name), submitter.code))
    )
    return new SwarmOfThree(processes, folder, [submitter, ...workers])
  }

  /** Runs one job with both workers connected. */
  async submit(input: string, outDir: string, args: readonly string[]): Promise<JobFigures> {
    for (const { pid } of this.#members) resetPeak(pid)
    const peers = args.includes('only') ? [] : ['--min-peers', '2', '--wait', WAIT]
    const home = join(this.#folder, 'submitter')
    const done = await submit(this.#processes, [input, '--out', outDir, '--home', home, ...peers, ...args])
    const [submitterBytes = Number.NaN, ...workerBytes] = this.#members.map(({ pid }) => readPeakBytes(pid))
    return { ...done, submitterBytes, workerBytes: Math.max(...workerBytes) }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ child }) => this.#processes.end(child)))
  }
}

/** Runs `swarm submit` and waits for its last event. */
async function submit(
  processes: StartedProcesses,
  args: readonly string[]
): Promise<Omit<JobFigures, 'submitterBytes' | 'workerBytes'>> {
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  const child = processes.start(process.execPath, [RUN, 'submit', ...args, '--json'], { stdio: [...stdio] })
  let last: Record<string, unknown> = {}
  for await (const event of jsonLines(child)) last = event
  if (last.event !== 'done') throw new Error(`swarm submit ${args.join(' ')} ended with ${JSON.stringify(last)}`)
  const { totalMs, chunks, localChunks, summary, peers } = last as unknown as JobFigures
  return {
    totalMs,
    chunks,
    localChunks,
    summary,
    peers: peers.map((peer) => ({ name: peer.name, chunks: peer.chunks }))
  }
}

async function joinSwarm(processes: StartedProcesses, home: string, code?: string): Promise<Member> {
  const args = [RUN, 'join', ...(code === undefined ? [] : ['-']), '--home', home, '--no-mdns', '--json']
  // Errors come as events; the rest is for people.
  const child = processes.start(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin?.end(code)
  for await (const event of jsonLines(child)) {
    if (event.event === 'ready' && child.pid !== undefined) return { child, pid: child.pid, code: String(event.code) }
    if (event.event === 'error') throw new Error(`swarm join: ${event.message}`)
  }
  throw new Error('swarm join ended before it was ready')
}
