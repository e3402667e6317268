import type { InviteView, PeerView, PlanView, StatusView } from '../../app/api-types.ts'
import { printable } from '../../cli/printable.ts'
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatCounted,
  formatDurationMs,
  shortPeerId
} from '../../cli/quantities.ts'
import { formatTable } from '../../cli/table.ts'

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
    printable(plan.summary)
  ].join('\n')
}
