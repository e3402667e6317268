import type { JobDetail, JobView } from '../../app/api-types.ts'
import { formatOutputs, formatShares } from '../../cli/job-text.ts'
import { printable } from '../../cli/printable.ts'
import { formatAgo, formatBytes, formatCounted, formatDurationMs, formatPercent } from '../../cli/quantities.ts'
import { formatTable } from '../../cli/table.ts'

/** What `swarm jobs` shows. */
export function formatJobs(jobs: readonly JobView[], wallMs: number): string {
  if (jobs.length === 0) return 'no jobs yet: submit one with "swarm submit FILE"'
  return formatTable(
    [
      { title: 'job' },
      { title: 'state' },
      { title: 'task' },
      { title: 'done', align: 'right' },
      { title: 'size', align: 'right' },
      { title: 'opened', align: 'right' },
      { title: 'input' }
    ],
    jobs.map((job) => [
      job.jobId,
      formatState(job),
      job.task,
      formatDone(job),
      formatBytes(job.inputBytes),
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
    `task      ${printable(job.task)}`,
    `input     ${printable(job.inputPath)}, ${formatBytes(job.inputBytes)}`,
    `done      ${formatDone(job)}, ${formatCounted(counters.chunks, 'chunk')}, ${formatDurationMs(counters.totalMs)}, efficiency ${formatPercent(counters.efficiency)}`,
    `given back ${counters.releases}, duplicates ${counters.duplicates}`
  ]
  if (job.outputs === undefined) lines.push(`outputs   ${printable(job.outDir)}`)
  else lines.push(...formatOutputs(job.outputs))
  lines.push('', formatShares(counters))
  if (job.summary !== undefined) lines.push('', printable(job.summary))
  if (canResume(job)) lines.push('', `resume with: swarm jobs resume ${job.jobId}`)
  return lines.join('\n')
}

/** `running` and `interrupted` say more than `open`. */
export function formatState(job: JobView): string {
  if (job.running) return 'running'
  return job.state === 'open' ? 'interrupted' : job.state
}

function canResume(job: JobView): boolean {
  return !job.running && (job.state === 'open' || job.state === 'stopped')
}

function formatDone(job: JobView): string {
  return job.inputBytes > 0 ? `${Math.floor((job.mergedBytes / job.inputBytes) * 100)} %` : '–'
}
