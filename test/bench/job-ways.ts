import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { jsonLines, type StartedProcesses } from './started-processes.ts'
import { RUN, type SwarmOfThree } from './swarm-of-three.ts'

/** One run of the same job, whoever did it. */
export interface Run {
  readonly ms: number
  /** Peak of the process that holds the result, in bytes. */
  readonly submitterBytes: number
  /** Higher peak of the two workers, in bytes. */
  readonly workerBytes?: number
  /** Chunks that each worker did, and those that stayed at home. */
  readonly shares?: string
  /** The lesser of the two workers' chunks. */
  readonly chunksMin?: number
  readonly chunks?: number
  readonly summary?: string
}

/** A way to do the job: reads `input`, leaves what it writes below `outDir`. */
export type Way = (input: string, outDir: string) => Promise<Run>

/** Where a clone of the project has the comparator, when it has it. */
export const BASELINE = join(import.meta.dirname, '..', '..', '..', 'shared', 'baseline')
/** The baseline's best chunk size with two clients (its README). */
const BASELINE_CHUNK_MB = '4'
const LOCAL = join(import.meta.dirname, 'local-only.ts')

/** The job over the swarm, submitted through the joined home. */
export function overSwarm(swarm: SwarmOfThree, args: readonly string[]): Way {
  return async (input, outDir) => {
    const { totalMs, chunks, localChunks, peers, submitterBytes, workerBytes, summary } = await swarm.submit(
      input,
      outDir,
      args
    )
    const counts = peers.filter(({ chunks }) => chunks > 0).map(({ name, chunks }) => `${name} ${chunks}`)
    return {
      ms: totalMs,
      submitterBytes,
      workerBytes,
      chunks,
      shares: [...counts, `own ${localChunks}`, `of ${chunks}`].join(', '),
      chunksMin: peers.length < 2 ? 0 : Math.min(...peers.map((peer) => peer.chunks)),
      summary
    }
  }
}

/** Copies the comparator, which installs what it needs on its first run, and gives the way to run it. */
export async function overBaseline(processes: StartedProcesses, folder: string): Promise<Way> {
  const copy = join(folder, 'baseline')
  await cp(BASELINE, copy, { recursive: true })
  await processes.run('chmod', ['-R', 'u+w', copy])
  await processes.run('npm', ['install', '--silent', '--no-audit', '--no-fund'], { cwd: copy })
  return async (input, outDir) => {
    const env = { ...process.env, CHUNK_MB: BASELINE_CHUNK_MB, NODE: process.execPath }
    const out = await processes.run('bash', [join(copy, 'run.sh'), '2', input, outDir], { env })
    const figures = JSON.parse(out.trim().split('\n').at(-1) ?? '')
    return { ms: figures.total_s * 1000, submitterBytes: figures.server_peak_rss_mb * 1024 * 1024 }
  }
}

/** One process alone, without the program. */
export function inLoop(processes: StartedProcesses, withHmac: boolean): Way {
  return async (input, outDir) => {
    const args = [LOCAL, '--one', withHmac ? 'loop+hmac' : 'loop', input, outDir]
    const child = processes.start(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const { ms, peakBytes } of jsonLines(child)) return { ms: Number(ms), submitterBytes: Number(peakBytes) }
    throw new Error('the loop ended without figures')
  }
}

/** Decrypts what a run left and compares it with the input, so that no way is fast by being wrong. */
export async function checkResult(processes: StartedProcesses, input: string, outDir: string): Promise<void> {
  const result = join(outDir, 'checked.raw')
  await processes.run(process.execPath, [RUN, 'decrypt', outDir, '--out', result])
  await processes.run(process.execPath, [join(import.meta.dirname, 'compare-result.ts'), input, result])
  await rm(result)
}
