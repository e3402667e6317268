import type { JobId } from '../domain/ids.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { formatJoinCode } from '../network/join-code.ts'
import { deriveSwarmKeys } from '../network/swarm-keys.ts'
import { type Database, openDatabase, openDatabaseForReading } from '../store/database.ts'
import { type HomePaths, resolveHome } from '../store/home.ts'
import { acquireHomeLock } from '../store/home-lock.ts'
import { loadIdentity } from '../store/identity.ts'
import { JournalStore } from '../store/journal-store.ts'
import { type VerifiedLedger, verifyLedgerFile, verifyStoredLedger } from '../store/ledger-file.ts'
import { LedgerInvalidError } from '../store/ledger-file-reader.ts'
import { createVerifier } from '../store/notary.ts'
import { PeerStore } from '../store/peer-store.ts'
import { requireMembership } from '../store/swarm-secret.ts'
import type {
  ExportRequest,
  HomeRecords,
  InviteView,
  JobDetail,
  JobView,
  LedgerFilter,
  LedgerReport,
  LedgerView,
  PeerView,
  StatusView,
  VerifyRequest,
  Waiting
} from './api-types.ts'
import { cancelStored, unknownJob } from './end-stored-job.ts'
import { jobDetail, jobView, mergedBytesOf } from './job-views.ts'
import { defaultName } from './open-home.ts'
import { exportRecords, ledgerRows, ledgerView } from './records.ts'
import { rememberedPeers } from './remembered-peers.ts'

/** Opens a home's store for reading; needs no lock and no network. */
export function openReader(options: { readonly home?: string }): HomeRecords {
  return new Reader(resolveHome({ home: options.home }))
}

/** What a home remembers while no process runs it. */
class Reader implements HomeRecords {
  readonly #paths: HomePaths
  readonly #database: Database | undefined

  constructor(paths: HomePaths) {
    this.#paths = paths
    this.#database = openDatabaseForReading(paths.database)
  }

  async status(): Promise<StatusView> {
    const membership = requireMembership(this.#paths.swarm)
    const jobs = await this.jobs()
    return {
      running: false,
      home: this.#paths.folder,
      swarmName: membership.name,
      swarmId: deriveSwarmKeys(membership.secret).swarmId,
      peerId: loadIdentity(this.#paths.identity)?.peerId ?? '',
      name: membership.peerName ?? defaultName(),
      addresses: [],
      peers: 0,
      threads: 0,
      jobsOpen: jobs.filter(({ state }) => state === 'open' || state === 'stopped').length,
      leases: 0
    }
  }

  async peers(): Promise<readonly PeerView[]> {
    return this.#database === undefined ? [] : rememberedPeers(new PeerStore(this.#database))
  }

  async invite(): Promise<InviteView> {
    const { multiaddr } = await import('@multiformats/multiaddr')
    const { name, secret, bootstrap } = requireMembership(this.#paths.swarm)
    const code = formatJoinCode({ name, secret, addresses: bootstrap.map((address) => multiaddr(address)) })
    return { swarmName: name, swarmId: deriveSwarmKeys(secret).swarmId, code, addresses: bootstrap }
  }

  async jobs(): Promise<readonly JobView[]> {
    if (this.#database === undefined) return []
    const journal = new JournalStore(this.#database)
    return journal
      .list()
      .map((record) => jobView(record, mergedBytesOf(record, journal), false, journal.history.totals(record.spec)))
  }

  async job(jobId: JobId): Promise<JobDetail> {
    const journal = this.#database && new JournalStore(this.#database)
    const record = journal?.get(jobId)
    if (journal === undefined || record === undefined) throw unknownJob(jobId)
    return jobDetail(record, journal, false)
  }

  async cancel(jobId: JobId): Promise<JobView> {
    await this.job(jobId)
    const lock = acquireHomeLock(this.#paths)
    const database = openDatabase(this.#paths.database)
    try {
      const journal = new JournalStore(database)
      cancelStored(jobId, journal)
      const record = journal.get(jobId)
      if (record === undefined) throw unknownJob(jobId)
      return jobView(record, mergedBytesOf(record, journal), false)
    } finally {
      database.close()
      lock.release()
    }
  }

  async ledger(filter: LedgerFilter): Promise<LedgerView> {
    if (this.#database === undefined) return { rows: [], receipts: 0, jobs: 0, forks: [] }
    return ledgerView(this.#database, filter)
  }

  async exportLedger(request: ExportRequest, waiting: Waiting): Promise<{ path: string; receipts: number }> {
    if (this.#database === undefined) throw emptyHome(this.#paths.folder)
    return exportRecords(this.#database, request, waiting)
  }

  async stop(): Promise<void> {
    this.#database?.close()
  }
}

/** Verifies a ledger file, or all that a home holds, offline. What is wrong is in the report, not thrown. */
export async function verifyLedger(request: VerifyRequest, { signal }: Waiting): Promise<LedgerReport> {
  const { file, inputPath } = request
  const options = { verify: createVerifier(), signal, ...(inputPath !== undefined && { inputPath }) }
  if (file !== undefined) return reportOf(file, () => verifyLedgerFile(file, options))
  const paths = resolveHome({ home: request.home })
  const database = openDatabaseForReading(paths.database)
  if (database === undefined) throw emptyHome(paths.folder)
  try {
    return await reportOf(paths.folder, () => verifyStoredLedger(database, options))
  } finally {
    database.close()
  }
}

async function reportOf(source: string, verify: () => Promise<VerifiedLedger>): Promise<LedgerReport> {
  try {
    const { summary, inputChunks } = await verify()
    return {
      valid: true,
      source,
      receipts: summary.receipts,
      chunks: summary.receipts - summary.uncredited,
      duplicates: summary.uncredited,
      entries: summary.entries,
      roots: summary.jobs.length,
      inputsChecked: inputChunks ?? 0,
      problems: [],
      rows: ledgerRows(summary)
    }
  } catch (error) {
    if (!(error instanceof LedgerInvalidError)) throw error
    return invalidReport(source, error)
  }
}

function invalidReport(source: string, { code, fault }: LedgerInvalidError): LedgerReport {
  const { part, index, author, sequence, byteOffset, reason } = fault
  const where = [
    index === undefined ? part : `${part} ${index}`,
    ...(author === undefined ? [] : [`of ${author}`]),
    ...(sequence === undefined ? [] : [`sequence ${sequence}`]),
    `at byte ${byteOffset}`
  ].join(', ')
  const nothing = { receipts: 0, chunks: 0, duplicates: 0, entries: 0, roots: 0, inputsChecked: 0 }
  return { valid: false, source, ...nothing, problems: [{ code, where, message: reason }], rows: [] }
}

function emptyHome(folder: string): SwarmError {
  const message = `the home ${folder} holds no ledger yet: submit a job or take part in one first`
  return new SwarmError('LEDGER_EMPTY', message, { exitCode: EXIT_CODES.usage })
}
