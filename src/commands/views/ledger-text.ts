import type { LedgerReport, LedgerRow, LedgerView } from '../../app/api-types.ts'
import { printable } from '../../cli/printable.ts'
import { formatAgo, formatBytes, formatCount, formatDurationMs, shortPeerId } from '../../cli/quantities.ts'
import { formatTable } from '../../cli/table.ts'

const MEDALS: readonly string[] = ['★ gold', '☆ silver', '· bronze']

/** What `swarm ledger` shows. */
export function formatLedgerView(view: LedgerView, wallMs: number): string {
  if (view.rows.length === 0) return 'no receipts yet: the ledger fills as jobs are done'
  return [
    formatLedger(view.rows, wallMs),
    '',
    `${formatCount(view.receipts)} receipts over ${formatCount(view.jobs)} jobs, both signatures of each verified here`,
    ...view.forks.map(
      ({ author, sequence }) =>
        `fork: ${shortPeerId(author)} signed two entries with number ${sequence}; its feed counts up to there`
    )
  ].join('\n')
}

/** What `swarm ledger verify` shows. */
export function formatLedgerReport(report: LedgerReport, wallMs: number): string {
  const facts = [
    `${formatCount(report.receipts)} receipts with two good signatures`,
    `${formatCount(report.chunks)} distinct chunks`,
    `${formatCount(report.duplicates)} duplicates without credit`
  ]
  if (report.entries > 0) facts.push(`${formatCount(report.entries)} feed entries`)
  if (report.roots > 0) facts.push(`${formatCount(report.roots)} job roots`)
  if (report.inputsChecked > 0) facts.push(`${formatCount(report.inputsChecked)} input hashes checked against the file`)
  return [
    `${report.valid ? 'valid' : 'NOT VALID'}: ${printable(report.source)}`,
    ...facts.map((fact) => `  ${fact}`),
    ...report.problems.map(
      ({ code, where, message }) => `  problem at ${printable(where)}: ${printable(message)} (${code})`
    ),
    ...(report.rows.length === 0 ? [] : ['', formatLedger(report.rows, wallMs)])
  ].join('\n')
}

/** Lays the ledger out as a table, best first. */
export function formatLedger(rows: readonly LedgerRow[], wallMs: number): string {
  return formatTable(
    [
      { title: 'rank' },
      { title: 'peer' },
      { title: 'id' },
      { title: 'chunks', align: 'right' },
      { title: 'credit', align: 'right' },
      { title: 'compute', align: 'right' },
      { title: 'bytes', align: 'right' },
      { title: 'jobs', align: 'right' },
      { title: 'last seen', align: 'right' },
      { title: 'verified' }
    ],
    rows.map((row) => [
      formatRank(row.rank),
      row.name,
      shortPeerId(row.peerId),
      formatCount(row.chunks),
      formatUnits(row.units),
      formatDurationMs(row.computeMs),
      formatBytes(row.bytesIn + row.bytesOut),
      formatCount(row.jobs),
      formatAgo(Math.max(0, wallMs - row.lastSeenMs)),
      row.verifications.join(', ')
    ])
  )
}

/** The first three get medals; own work is listed without a rank. */
export function formatRank(rank: number): string {
  if (rank < 1) return '– own'
  return MEDALS[rank - 1] ?? `  ${rank}`
}

/** Credit by unit: `158,760,000 samples`. */
export function formatUnits(units: Readonly<Record<string, number>>): string {
  const parts = Object.entries(units).map(([unit, count]) => `${formatCount(count)} ${unit}`)
  return parts.length === 0 ? '–' : parts.join(' + ')
}
