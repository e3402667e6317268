import type { Database } from '../store/database.ts'
import { exportJobLedger, exportLedger } from '../store/ledger-file-writer.ts'
import { LedgerReader, type LedgerSummary } from '../store/ledger-reader.ts'
import type { ExportRequest, LedgerFilter, LedgerRow, LedgerView, Waiting } from './api-types.ts'

/** Who did what, as far as a home could verify. */
export function ledgerView(database: Database, filter: LedgerFilter): LedgerView {
  const { job, peer } = filter
  const summary = new LedgerReader(database).summary({
    ...(job !== undefined && { jobId: job }),
    ...(peer !== undefined && { peerId: peer })
  })
  return {
    rows: ledgerRows(summary),
    receipts: summary.receipts,
    jobs: summary.jobs.length,
    forks: summary.forks
  }
}

/** Ranked peers first, then what submitters did themselves, which earns nothing. */
export function ledgerRows({ peers, local }: LedgerSummary): LedgerRow[] {
  const ranked = peers.map((peer, index): LedgerRow => {
    const { units, verifications, ...rest } = peer
    return {
      ...rest,
      rank: index + 1,
      units: Object.fromEntries(units.map(({ unit, units: amount }) => [unit, amount])),
      verifications: verifications.map(({ verification }) => verification)
    }
  })
  const own = local.map(
    ({ submitter, jobs, chunks }): LedgerRow => ({
      rank: 0,
      peerId: submitter,
      name: '',
      chunks,
      units: {},
      computeMs: 0,
      bytesIn: 0,
      bytesOut: 0,
      jobs,
      lastSeenMs: 0,
      verifications: []
    })
  )
  return [...ranked, ...own]
}

/** Writes all feeds, or one job's receipts with its close entry. @throws SwarmError LEDGER_JOB_UNKNOWN, LEDGER_INCOMPLETE */
export async function exportRecords(
  database: Database,
  { path, job }: ExportRequest,
  waiting: Waiting
): Promise<{ path: string; receipts: number }> {
  if (job !== undefined) return { path, ...(await exportJobLedger(path, database, job, waiting)) }
  await exportLedger(path, database, waiting)
  return { path, receipts: new LedgerReader(database).counts().receipts }
}
