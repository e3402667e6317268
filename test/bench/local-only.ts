// Compares the local pipeline with the bare loop, interleaved, each run in a process of its own. Prints ratios and peaks.
// Usage: node local-only.ts [input] [rounds] [threads] [chunk KiB] [window]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateFile } from '../../src/store/generate.ts'
import { median as medianOf } from './figures.ts'
import { localLoop } from './local-loop.ts'
import { localPipeline } from './local-pipeline.ts'
import { readPeakBytes } from './started-processes.ts'

const WAYS = ['loop', 'loop+hmac', 'pipeline', 'pipeline-plain'] as const
type Way = (typeof WAYS)[number]

interface Run {
  readonly ms: number
  readonly cpuMs: number
  /** Of the process alone: what it inherits from the one that started it is not in it. */
  readonly peakBytes: number
}

const [first, ...rest] = process.argv.slice(2)
if (first === '--one') await one(rest)
else await compare(first, rest.map(Number))

async function one([way, input, outDir, threads, chunkKiB, window]: string[]): Promise<void> {
  if (input === undefined || outDir === undefined) throw new Error('usage: --one WAY INPUT OUTDIR THREADS KIB WINDOW')
  const ms = way?.startsWith('loop')
    ? localLoop(input, join(outDir, 'loop.enc'), way === 'loop+hmac')
    : await localPipeline(input, join(outDir, 'out'), {
        threads: Number(threads),
        chunkBytes: Number(chunkKiB) * 1024,
        window: Number(window),
        seal: way === 'pipeline'
      })
  const { systemCPUTime, userCPUTime } = process.resourceUsage()
  console.log(JSON.stringify({ ms, cpuMs: (systemCPUTime + userCPUTime) / 1000, peakBytes: readPeakBytes('self') }))
}

async function compare(
  given: string | undefined,
  [rounds = 5, threads = 1, chunkKiB = 2048, window = 6]: number[]
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-bench-'))
  try {
    const input = given ?? join(folder, 'input.f32')
    if (!existsSync(input)) await generateFile(input, { signal: new AbortController().signal })
    const runs = new Map<Way, Run[]>(WAYS.map((way) => [way, []]))
    for (let round = 0; round < rounds; round++) {
      for (const way of WAYS) {
        const outDir = mkdtempSync(join(folder, 'run-'))
        const args = ['--one', way, input, outDir, `${threads}`, `${chunkKiB}`, `${window}`]
        const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), ...args], { encoding: 'utf8' })
        if (child.status !== 0) throw new Error(child.stderr)
        runs.get(way)?.push(JSON.parse(child.stdout))
        rmSync(outDir, { recursive: true })
      }
    }
    report(runs)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Ratios of medians, and of the best runs, which others' load on the machine disturbs least. */
function report(runs: ReadonlyMap<Way, readonly Run[]>): void {
  const of = (way: Way): readonly Run[] => runs.get(way) ?? []
  for (const way of WAYS) {
    const ratios = (['loop', 'loop+hmac'] as const).map((base) => {
      const [medianRatio, bestRatio] = [median, best].map((pick) => pick(of(way)) / pick(of(base)))
      return `${medianRatio?.toFixed(2)} (best ${bestRatio?.toFixed(2)}) × ${base}`
    })
    const cpuMs = best(of(way).map((run) => ({ ...run, ms: run.cpuMs })))
    const peakMiB = Math.max(...of(way).map((run) => run.peakBytes)) / 1024 / 1024
    const times = `${median(of(way)).toFixed(0)} ms (best ${best(of(way)).toFixed(0)}, cpu ${cpuMs.toFixed(0)})`
    console.log(`${way.padEnd(15)} ${times}  ${ratios.join('  ')}  peak ${peakMiB.toFixed(0)} MiB`)
  }
}

function median(runs: readonly Run[]): number {
  return medianOf(runs.map(({ ms }) => ms))
}

function best(runs: readonly Run[]): number {
  return Math.min(...runs.map(({ ms }) => ms))
}
