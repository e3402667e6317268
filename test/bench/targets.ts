import type { BulkReport } from './bulk-protocol.ts'
import { median } from './figures.ts'
import type { Run } from './job-ways.ts'
import type { StartUp } from './start-up.ts'

/** One figure beside what it has to be. */
export interface Check {
  readonly what: string
  readonly figure: number
  /** The same of the best runs, which others' load on the machine disturbs least; for times only. */
  readonly best?: number
  readonly target: number
  readonly unit: string
  /** Whether the figure has to be at least or at most the target. */
  readonly bound: 'min' | 'max'
}

/** Every run of each way, in rounds. */
export type Runs = ReadonlyMap<string, readonly Run[]>

const MB = 1e6
const NEVER_SPEED_MIN = 1.8
const AUTO_SPEED_MIN = 3.5
const ONLY_TIME_MAX = 1.15
const SUBMITTER_MB_MAX = 220
const WORKER_MB_MAX = 250
const BIG_PEAK_MAX = 1.1
const BULK_SPEED_MIN = 0.9
const EXTRA_CHUNK_MS_MAX = 0.5
const START_UP_MS_MAX = 400

/** Whether a figure holds its target. */
export function holds({ figure, target, bound }: Check): boolean {
  return bound === 'min' ? figure >= target : figure <= target
}

/** What the jobs of one size have to show. A way that was not run has no check. */
export function jobChecks(runs: Runs): readonly Check[] {
  const times = (way: string): readonly number[] => (runs.get(way) ?? []).map(({ ms }) => ms)
  const faster = (way: string, target: number): Check => ({
    what: `${way}: times as fast as the baseline`,
    ...timeRatio(times('baseline'), times(way)),
    target,
    unit: '×',
    bound: 'min'
  })
  const checks: Check[] = [faster('never', NEVER_SPEED_MIN), faster('auto', AUTO_SPEED_MIN)]
  checks.push({
    what: 'auto: chunks of the peer that did least, in any round',
    figure: Math.min(...(runs.get('auto') ?? []).map((run) => run.chunksMin ?? 0)),
    target: 1,
    unit: '',
    bound: 'min'
  })
  for (const loop of ['loop', 'loop+hmac']) {
    const what = `only: time by that of the bare ${loop}`
    checks.push({ what, ...timeRatio(times('only'), times(loop)), target: ONLY_TIME_MAX, unit: '×', bound: 'max' })
  }
  const chunks = (way: string): number => median((runs.get(way) ?? []).map((run) => run.chunks ?? Number.NaN))
  checks.push({
    what: 'small: each extra chunk of a whole job',
    figure: (median(times('small')) - median(times('never'))) / (chunks('small') - chunks('never')),
    target: EXTRA_CHUNK_MS_MAX,
    unit: 'ms',
    bound: 'max'
  })
  for (const way of ['never', 'auto', 'only']) {
    const figure = peakOf(runs, way, (run) => run.submitterBytes) / MB
    checks.push({ what: `${way}: peak of the submitter`, figure, target: SUBMITTER_MB_MAX, unit: 'MB', bound: 'max' })
  }
  for (const way of ['never', 'auto']) {
    const figure = peakOf(runs, way, (run) => run.workerBytes ?? Number.NaN) / MB
    checks.push({ what: `${way}: higher peak of the workers`, figure, target: WORKER_MB_MAX, unit: 'MB', bound: 'max' })
  }
  return checks.filter(({ figure }) => Number.isFinite(figure))
}

/** What a job of several times the size may take more. */
export function bigChecks(small: Runs, big: Runs): readonly Check[] {
  return [...big.keys()].map((way) => ({
    what: `${way}: peak of the submitter at the big size by that at the usual one`,
    figure: peakOf(big, way, (run) => run.submitterBytes) / peakOf(small, way, (run) => run.submitterBytes),
    target: BIG_PEAK_MAX,
    unit: '×',
    bound: 'max'
  }))
}

/** What the bulk protocols have to show. */
export function bulkChecks(reports: readonly BulkReport[]): readonly Check[] {
  return reports.flatMap(({ protocol, ratio, bestRatio, msPerExtraChunk }) => [
    {
      what: `${protocol}: speed by that of a bare stream`,
      figure: ratio,
      best: bestRatio,
      target: BULK_SPEED_MIN,
      unit: '×',
      bound: 'min'
    },
    {
      what: `${protocol}: each extra chunk`,
      figure: msPerExtraChunk,
      target: EXTRA_CHUNK_MS_MAX,
      unit: 'ms',
      bound: 'max'
    }
  ])
}

/** What the commands have to show that answer at once. */
export function startUpChecks(times: readonly StartUp[]): readonly Check[] {
  return times.map(({ command, node, ms }) => ({
    what: `swarm ${command} from Node ${node}`,
    figure: ms,
    target: START_UP_MS_MAX,
    unit: 'ms',
    bound: 'max'
  }))
}

/** Time by time, of the medians and of the best runs. */
function timeRatio(over: readonly number[], under: readonly number[]): { figure: number; best: number } {
  return { figure: median(over) / median(under), best: Math.min(...over) / Math.min(...under) }
}

/** The highest of all rounds: a limit on memory has no good days. */
function peakOf(runs: Runs, way: string, figure: (run: Run) => number): number {
  const figures = (runs.get(way) ?? []).map(figure)
  return figures.length === 0 ? Number.NaN : Math.max(...figures)
}
