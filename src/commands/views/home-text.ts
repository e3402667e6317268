import type { InviteView, PeerView, PlanBasis, PlanPeer, PlanView, StatusView } from '../../app/api-types.ts'
import { printable } from '../../cli/printable.ts'
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatCounted,
  formatDurationMs,
  formatRate,
  shortPeerId
} from '../../cli/quantities.ts'
import { formatTable } from '../../cli/table.ts'
import type { ForecastOutcome, JobForecast, MeasureSource } from '../../domain/job.ts'

/** Peers that a plan names. */
const PLAN_PEERS_SHOWN = 8
const SOURCES: Readonly<Record<MeasureSource, string>> = {
  measured: 'measured now',
  remembered: 'measured before',
  jobs: 'from earlier jobs',
  assumed: 'assumed'
}

/** What `swarm status` shows. */
export function formatStatus(status: StatusView): string {
  const rows: [string, string][] = [
    ['swarm', `${status.swarmName} (${status.swarmId})`],
    ['peer', `${status.name} ${status.peerId}`],
    ['home', status.home]
  ]
  if (status.running) {
    rows.push(
      [
        'process',
        `${status.pid ?? '?'}, up ${formatDurationMs(status.upMs ?? Number.NaN)}, ${formatCounted(status.threads, 'thread')}`
      ],
      ['peers', `${status.peers} connected`],
      ['work', `${status.leases} chunks of others, ${status.jobsOpen} own jobs open`],
      ...status.addresses.map((address): [string, string] => ['address', address])
    )
  } else {
    rows.push(['process', 'not running: start it with "swarm join"'], ['work', `${status.jobsOpen} own jobs open`])
  }
  return rows.map(([label, text]) => `${label.padEnd(8)} ${printable(text)}`).join('\n')
}

/** What `swarm peers` shows. */
export function formatPeers(peers: readonly PeerView[], wallMs: number): string {
  if (peers.length === 0) return 'no peers known: "swarm invite" prints the code that another machine joins with'
  return formatTable(
    [
      { title: 'peer' },
      { title: 'id' },
      { title: 'state' },
      { title: 'threads', align: 'right' },
      { title: 'round trip', align: 'right' },
      { title: 'last seen', align: 'right' },
      { title: 'address' }
    ],
    peers.map((peer) => [
      peer.name,
      shortPeerId(peer.peerId),
      peer.connected ? 'connected' : 'away',
      peer.threads === undefined ? '' : String(peer.threads),
      peer.latencyMs === undefined ? '' : `${peer.latencyMs.toFixed(1)} ms`,
      peer.connected ? 'now' : peer.lastSeenMs === undefined ? '' : formatAgo(Math.max(0, wallMs - peer.lastSeenMs)),
      peer.addresses[0] ?? ''
    ])
  )
}

/** What `swarm invite` shows: the code alone, so that it can be piped. */
export function formatInvite(invite: InviteView): string {
  return invite.code
}

/** What `swarm submit --plan` shows. */
export function formatPlan(plan: PlanView): string {
  return [
    `${printable(plan.task)}: ${formatBytes(plan.inputBytes)} in ${formatCount(plan.chunks)} chunks of up to ${formatBytes(plan.chunkBytes)}`,
    `alone         ${formatDurationMs(plan.aloneMs)}`,
    `${`with ${formatCounted(plan.peers, 'peer')}`.padEnd(14)}${formatDurationMs(plan.swarmMs)}, ${formatBytes(plan.shippedBytes)} over the network`,
    printable(plan.summary),
    ...(plan.basis === undefined ? [] : formatBasis(plan.basis))
  ].join('\n')
}

/** What was expected of a job, and what came: `1.2 s with 2 peers, 1.1 s alone (kernel measured); took 1.3 s, 1.08 times that`. */
export function formatForecast(forecast: JobForecast | ForecastOutcome): string {
  const { aloneMs, kernelSource, linkSource, peers, swarmMs } = forecast
  const links = linkSource === undefined ? '' : `, links ${linkSource}`
  const expected =
    `${formatDurationMs(swarmMs)} with ${formatCounted(peers, 'peer')}, ${formatDurationMs(aloneMs)} alone ` +
    `(kernel ${kernelSource}${links})`
  if (!('actualMs' in forecast)) return expected
  return `${expected}; took ${formatDurationMs(forecast.actualMs)}, ${forecast.ratio.toFixed(2)} times what was expected`
}

/** A line for this machine and one for each of the first peers. */
function formatBasis({ cores, kernel, peers, threads }: PlanBasis): string[] {
  const check = kernel.checkNsPerByte > 0 ? `, checking it ${formatNs(kernel.checkNsPerByte)}` : ''
  const rest = peers.length - PLAN_PEERS_SHOWN
  return [
    '',
    `this machine  ${formatCounted(threads, 'thread')} on ${formatCounted(cores, 'core')}, ${formatNs(kernel.nsPerByte)} of a thread per byte of a chunk${check} (${SOURCES[kernel.source]})`,
    ...peers.slice(0, PLAN_PEERS_SHOWN).map(formatPlanPeer),
    ...(rest > 0 ? [`… and ${formatCounted(rest, 'more peer')}`] : [])
  ]
}

function formatPlanPeer(peer: PlanPeer): string {
  const name = printable(peer.name === '' ? shortPeerId(peer.peerId) : peer.name).padEnd(13)
  if (peer.linkSource === undefined) return `${name} on this machine: shares its cores`
  const link = `${formatRate(peer.linkBytesPerSecond)}, ${peer.latencyMs.toFixed(1)} ms (${SOURCES[peer.linkSource]})`
  return `${name} link ${link}, kernels ${formatDurationMs(peer.computeMs)} for all of it (${SOURCES[peer.computeSource]})`
}

function formatNs(ns: number): string {
  return `${ns < 10 ? ns.toFixed(2) : formatCount(Math.round(ns))} ns`
}
