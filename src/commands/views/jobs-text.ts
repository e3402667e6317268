import type { JobDetail, JobFigures, JobView } from '../../app/api-types.ts'
import { formatOutputs, formatShares } from '../../cli/job-text.ts'
import { printable } from '../../cli/printable.ts'
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatCounted,
  formatDurationMs,
  formatPercent
} from '../../cli/quantities.ts'
import { formatTable } from '../../cli/table.ts'
import { formatDimensions, formatThroughput, formatTiles, formatWork } from './figures-text.ts'
import { formatForecast } from './home-text.ts'

/** What `swarm jobs` shows. */
export function formatJobs(jobs: readonly JobView[], wallMs: number): string {
  if (jobs.length === 0) return 'no jobs yet: submit one with "swarm submit FILE"'
  return formatTable(
    [
      { title: 'job' },
      { title: 'state' },
      { title: 'task' },
      { title: 'dimensions' },
      { title: 'done', align: 'right' },
      { title: 'peers', align: 'right' },
      { title: 'chunks', align: 'right' },
      { title: 'total', align: 'right' },
      { title: 'throughput', align: 'right' },
      { title: 'efficiency', align: 'right' },
      { title: 'opened', align: 'right' },
      { title: 'input' }
    ],
    jobs.map((job) => [
      job.jobId,
      formatState(job),
      job.task,
      formatDimensions(job.figures?.dimensions),
      formatDone(job),
      ...formatFigures(job.figures),
      formatAgo(Math.max(0, wallMs - job.openedAtMs)),
      job.inputPath
    ])
  )
}

/** What `swarm jobs show` shows. */
export function formatJob(job: JobDetail): string {
  const { counters } = job
  const lines = [
    `job       ${job.jobId}`,
    `state     ${formatState(job)}${job.failure === undefined ? '' : `: ${printable(job.failure.message)} (${job.failure.code})`}`,
    `task      ${printable(job.task)}${job.figures === undefined ? '' : `, kernel ${printable(job.figures.kernelId)}, local ${job.figures.local}`}`,
    `input     ${printable(job.inputPath)}, ${formatBytes(job.inputBytes)}`,
    `done      ${formatDone(job)}, ${formatCounted(counters.chunks, 'chunk')}, ${formatDurationMs(counters.totalMs)}, efficiency ${formatPercent(counters.efficiency)}`,
    ...formatWorkLines(job.figures),
    ...(job.forecast === undefined ? [] : [`forecast  ${formatForecast(job.forecast)}`]),
    `given back ${counters.releases}, duplicates ${counters.duplicates}`
  ]
  if (job.outputs === undefined) lines.push(`outputs   ${printable(job.outDir)}`)
  else lines.push(...formatOutputs(job.outputs))
  lines.push('', formatShares(counters))
  if (job.summary !== undefined) lines.push('', printable(job.summary))
  if (canResume(job)) lines.push('', `resume with: swarm jobs resume ${job.jobId}`)
  else if (!job.running) lines.push('', `run it again with: swarm jobs replay ${job.jobId}`)
  return lines.join('\n')
}

/** `running` and `interrupted` say more than `open`. */
export function formatState(job: JobView): string {
  if (job.running) return 'running'
  return job.state === 'open' ? 'interrupted' : job.state
}

function formatFigures(figures: JobFigures | undefined): string[] {
  if (figures === undefined) return ['', '', '', '', '']
  const { chunks, efficiency, peerCount, totalMs } = figures
  return [
    formatCount(peerCount),
    formatCount(chunks),
    totalMs > 0 ? formatDurationMs(totalMs) : '–',
    formatThroughput(figures),
    chunks > 0 ? formatPercent(efficiency) : '–'
  ]
}

function formatWorkLines(figures: JobFigures | undefined): string[] {
  if (figures === undefined) return []
  const { averageChunkMs, computeMs, dimensions, transferMs } = figures
  return [
    `work      ${formatDimensions(dimensions)}${formatTiles(dimensions)}${formatWork(figures)}, ${formatThroughput(figures)}`,
    `times     compute ${formatDurationMs(computeMs)}, transfer ${formatDurationMs(transferMs)}, ${formatDurationMs(averageChunkMs)} per chunk`
  ]
}

function canResume(job: JobView): boolean {
  return !job.running && (job.state === 'open' || job.state === 'stopped')
}

function formatDone(job: JobView): string {
  return job.inputBytes > 0 ? `${Math.floor((job.mergedBytes / job.inputBytes) * 100)} %` : '–'
}
