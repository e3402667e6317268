import { availableParallelism } from 'node:os'
import type { PeerId } from '@libp2p/interface'
import type { AdvertService } from '../../protocols/advert/types.ts'
import type { BufferPool } from '../domain/buffer-pool.ts'
import type { ComputePool } from '../domain/compute.ts'
import type { PeerName } from '../domain/ids.ts'
import type { SharedBuffers } from '../domain/shared-buffers.ts'
import { exportJobLedger } from '../store/ledger-file-writer.ts'
import type { LedgerStore } from '../store/ledger-store.ts'
import { writeByRename } from '../store/output-atomic.ts'
import { openSink } from '../store/sink.ts'
import type { SubmitterPorts } from '../submitter/ports.ts'
import { keepEvidence } from './evidence.ts'
import type { EnvelopeDesk } from './open-envelopes.ts'
import type { OpenHome } from './open-home.ts'
import { systemClock } from './system-clock.ts'
import { collectGarbage } from './trim-memory.ts'

/** What the submitter's ports are made of. */
export interface SubmitterParts {
  readonly home: OpenHome
  readonly peerId: PeerId
  readonly advert: AdvertService
  readonly compute: ComputePool
  readonly buffers: BufferPool
  readonly shared: SharedBuffers
  readonly envelopes: EnvelopeDesk
  readonly ledger: LedgerStore
  readonly isHere: (peer: PeerName) => boolean
  readonly connectedPeers: () => number
  readonly onInternalError: (error: unknown) => void
}

/** Hands the submitter what it needs of network, store and compute. */
export function submitterPorts(parts: SubmitterParts): SubmitterPorts {
  const { home, envelopes, ledger } = parts
  const { signal } = new AbortController()
  return {
    peerId: parts.peerId,
    submitter: home.identity.peerId,
    name: home.name,
    advert: parts.advert,
    compute: parts.compute,
    buffers: parts.buffers,
    shared: parts.shared,
    journal: home.journal,
    clock: systemClock,
    openSink,
    random: Math.random,
    collectGarbage: collectGarbage(),
    mainThreadCpuMs,
    openClaim: (envelope) => envelopes.openClaim(envelope),
    signReceipt: (receipt) => envelopes.signReceipt(receipt),
    keepReceipts: (receipts) => ledger.keepReceipts(receipts, { signal, signedHere: 'receipts' }),
    closeJob: async (close, receipts) => void (await ledger.closeJob(close, receipts, { signal })),
    writeJobLedger: async (jobId, path) => void (await exportJobLedger(path, home.database, jobId, { signal })),
    keepEvidence: (evidence) => keepEvidence(home.paths.evidence, evidence, systemClock.wallMs()),
    segmentFile: async (job) => (await import('./segment-file.ts')).segmentFile(job),
    writeFile: (path, content) => writeByRename(path, (file) => file.writeFile(content), { force: true, signal }),
    cores: availableParallelism(),
    isHere: parts.isHere,
    connectedPeers: parts.connectedPeers,
    onInternalError: parts.onInternalError
  }
}

/** CPU time of this thread where Node tells it (from 23.9), else of the process. In ms. */
function mainThreadCpuMs(): number {
  const { user, system } = (process.threadCpuUsage ?? process.cpuUsage).call(process)
  return (user + system) / 1000
}
