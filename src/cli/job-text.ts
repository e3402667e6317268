import type { JobCounters, JobEvent, JobOutputs, PeerShare, ProductFigures } from '../domain/events.ts'
import { formatFindings } from './findings-text.ts'
import { printable } from './printable.ts'
import {
  formatBytes,
  formatCount,
  formatCounted,
  formatDurationMs,
  formatFlops,
  formatPercent,
  formatRate,
  shortPeerId
} from './quantities.ts'
import { formatTable } from './table.ts'

type Progress = Extract<JobEvent, { event: 'progress' }>
type Done = Extract<JobEvent, { event: 'done' }>

/** Most peers with a line of their own in the live view. */
export const PEER_LINES_MAX = 8

const BAR_CELLS = 24

/** One line on a job's progress, for a log. */
export function formatProgressLine(progress: Progress): string {
  const { counters } = progress
  const parts = [
    `${percent(progress)} %`,
    `${formatBytes(progress.mergedBytes)} of ${formatBytes(progress.inputBytes)}`,
    formatSpeed(progress),
    `${formatCount(counters.chunks)} chunks (${formatCount(counters.localChunks)} here)`,
    formatCounted(counters.peers.length, 'peer'),
    `efficiency ${formatPercent(counters.efficiency)}`
  ]
  if (progress.remainingMs !== undefined) parts.push(`${formatDurationMs(progress.remainingMs)} left`)
  return parts.join(', ')
}

/** The live view of a job: a bar, counters, and a line for each of the busiest peers. */
export function formatProgressBlock(task: string, progress: Progress): readonly string[] {
  const { counters } = progress
  const done = Math.round(Math.min(1, fraction(progress)) * BAR_CELLS)
  const left = progress.remainingMs === undefined ? '' : `  ${formatDurationMs(progress.remainingMs)} left`
  const peers = [...counters.peers].sort((a, b) => b.chunks - a.chunks)
  const rest = peers.length - PEER_LINES_MAX
  return [
    `${printable(task)}  ${'█'.repeat(done)}${'░'.repeat(BAR_CELLS - done)}  ${percent(progress)} %  ` +
      `${formatBytes(progress.mergedBytes)} of ${formatBytes(progress.inputBytes)}  ${formatSpeed(progress)}${left}`,
    `  chunks ${formatCount(counters.chunks)} (${formatCount(counters.localChunks)} here, ${progress.leasedChunks} out)  ` +
      `peers ${peers.length}  efficiency ${formatPercent(counters.efficiency)}  given back ${counters.releases}`,
    ...peers.slice(0, PEER_LINES_MAX).map((peer) => `  ${formatPeerLine(peer)}`),
    ...(rest > 0 ? [`  … and ${rest} more`] : [])
  ]
}

/** One line on what became of a job's chunk or of the job; undefined for events that are shown otherwise. */
export function formatJobEvent(event: JobEvent): string | undefined {
  switch (event.event) {
    case 'accepted':
      return `job ${event.jobId}: ${printable(event.task)}, ${formatBytes(event.inputBytes)}`
    case 'waiting':
      return `waiting: ${printable(event.reason)}`
    case 'notice':
      return printable(event.message)
    case 'released':
      return `chunk ${event.chunkIndex} came back from ${shortPeerId(event.peerId)} after ${formatDurationMs(event.afterMs)}: ${printable(event.reason)}`
    case 'regranted':
      return `chunk ${event.chunkIndex} went to ${event.peerId === undefined ? 'this machine' : shortPeerId(event.peerId)} after ${formatDurationMs(event.afterMs)}`
    case 'barred':
      return `barred ${shortPeerId(event.peerId)} from the job: ${printable(event.reason)} (chunk ${event.chunkIndex}, evidence in ${event.evidence})`
    case 'progress':
    case 'done':
    case 'failed':
    case 'stopped':
    case 'cancelled':
      return undefined
  }
}

/** The last word on a finished job: where its files are, who did what, how it went. */
export function formatDone(done: Done): string {
  const bytesRate = done.totalMs > 0 ? `, ${formatRate((done.inputBytes * 1_000) / done.totalMs)}` : ''
  return [
    ...formatOutputs(done.outputs),
    '',
    formatShares(done),
    '',
    `${formatBytes(done.inputBytes)} in ${formatDurationMs(done.totalMs)}${done.product === undefined ? bytesRate : ''}, efficiency ${formatPercent(done.efficiency)}, ` +
      `${done.releases} given back, ${done.duplicates} duplicates`,
    ...(done.findings === undefined ? [] : formatFindings(done.findings)),
    ...(done.product === undefined ? [] : [formatProduct(done.product, done.checkMs)]),
    printable(done.summary)
  ].join('\n')
}

/** How a product went. */
export function formatProduct({ flops, flopsPerSecond, operands }: ProductFigures, checkMs: number): string {
  const { submitterBytes, peerBytes, cacheBytes } = operands
  const sources = `${formatBytes(submitterBytes)} sent, ${formatBytes(peerBytes)} from peer to peer, ${formatBytes(cacheBytes)} from caches`
  return `${formatFlops(flops)} at ${formatFlops(flopsPerSecond)}/s; operands: ${sources}; checks took ${formatDurationMs(checkMs)}`
}

/** Where a job's files are, and how to open them. */
export function formatOutputs(outputs: JobOutputs): readonly string[] {
  const lines = [`result    ${outputs.result}`]
  if (outputs.key !== undefined) lines.push(`key       ${outputs.key}  (keep it safe: whoever has it reads the result)`)
  if (outputs.iv !== undefined) lines.push(`iv        ${outputs.iv}`)
  if (outputs.hmac !== undefined) lines.push(`hmac      ${outputs.hmac}`)
  for (const path of outputs.files ?? []) lines.push(`file      ${path}`)
  lines.push(`manifest  ${outputs.manifest}`, `ledger    ${outputs.ledger}`)
  if (outputs.key !== undefined) lines.push(`decrypt   swarm decrypt ${quoted(outputs.result)}`)
  return lines
}

/** Table of who did what for a job, this machine included. */
export function formatShares(counters: JobCounters): string {
  const rows = [...counters.peers]
    .sort((a, b) => b.units - a.units || b.chunks - a.chunks)
    .map((peer) => [
      peer.name,
      shortPeerId(peer.peerId),
      formatCount(peer.chunks),
      share(peer.chunks, counters.chunks),
      formatDurationMs(peer.computeMs),
      formatBytes(peer.bytesIn),
      formatBytes(peer.bytesOut)
    ])
  const local = [
    'this machine',
    '',
    formatCount(counters.localChunks),
    share(counters.localChunks, counters.chunks),
    '',
    '',
    ''
  ]
  return formatTable(
    [
      { title: 'peer' },
      { title: 'id' },
      { title: 'chunks', align: 'right' },
      { title: 'share', align: 'right' },
      { title: 'compute', align: 'right' },
      { title: 'sent', align: 'right' },
      { title: 'received', align: 'right' }
    ],
    [...rows, local]
  )
}

/** Products are measured by their operations. */
function formatSpeed({ bytesPerSecond, counters }: Progress): string {
  return counters.product === undefined
    ? formatRate(bytesPerSecond)
    : `${formatFlops(counters.product.flopsPerSecond)}/s`
}

function formatPeerLine(peer: PeerShare): string {
  return (
    `${printable(peer.name)} ${shortPeerId(peer.peerId)}  ${formatCount(peer.chunks)} chunks  ` +
    `compute ${formatDurationMs(peer.computeMs)}  sent ${formatBytes(peer.bytesIn)}  received ${formatBytes(peer.bytesOut)}`
  )
}

function fraction(progress: Progress): number {
  return progress.inputBytes > 0 ? progress.mergedBytes / progress.inputBytes : 0
}

/** Rounded down, so that 100 is only said when all is there. */
function percent(progress: Progress): number {
  return Math.floor(fraction(progress) * 100)
}

function share(part: number, whole: number): string {
  return whole > 0 ? `${((part / whole) * 100).toFixed(0)} %` : '–'
}

function quoted(path: string): string {
  return /^[\w./~+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
