import type { Advert } from '../../protocols/advert/types.ts'
import type { Grant } from '../../protocols/lease/types.ts'
import type { OfferOutcome } from '../../protocols/result/types.ts'
import { createContentHasher } from '../content-hash.ts'
import { sameBytes } from '../domain/bytes.ts'
import { SwarmError } from '../errors.ts'
import { parseMatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import { TileGrid, type TileRun } from '../tasks/matrix/tile-grid.ts'
import type { KernelCall } from '../tasks/task-kind.ts'
import type { HeldResults, ReofferableResult } from './held-results.ts'
import type { LiveLease } from './lease-keeper.ts'
import type { OperandStore } from './operand-store.ts'
import type { WorkerPorts } from './ports.ts'
import type { SubmitterLink } from './submitter-link.ts'

/** What one lease is run with. */
export interface LeaseTask {
  readonly lease: LiveLease
  readonly advert: Advert
  readonly link: SubmitterLink
  /** Where the operands of jobs that have them come from. */
  readonly operands: Pick<OperandStore, 'acquire'>
  /** Called once the submitter has pulled all of the result, so that the worker may claim more. */
  readonly onPulled: () => void
}

/**
 * Takes a lease from grant to receipt: pulls the input, runs the kernel, signs the claim, offers the result. When the
 * submitter goes away after the kernel is done, the result is held for it.
 * @throws SwarmError GRANT_TOO_LARGE and those of the kernel; WireError; or the lease's abort reason
 */
export async function runLease(task: LeaseTask, held: HeldResults, ports: WorkerPorts): Promise<OfferOutcome> {
  const { grant } = task.lease
  const taken = grant.adopted ? held.take(task.link.submitter, grant.jobId, grant.chunkIndex) : undefined
  const compute = grant.operands.length > 0 ? computeTiles : computeRange
  const result = taken ?? (await compute(task, ports))
  ports.onEvent({
    event: 'chunk-done',
    jobId: grant.jobId,
    chunkIndex: grant.chunkIndex,
    computeMs: result.computeMs
  })
  const { outcome, claim } = await offerResult(task, result, held, ports)
  // Bytes of a result that was held may still be queued in a stream that died: its buffer is not used again.
  if (taken === undefined) ports.buffers.give(result.buffer)
  if (outcome.outcome === 'receipted') {
    await ports.keepReceipt(outcome.receipt, { submitter: task.link.lease.peerId, claim })
  }
  return outcome
}

async function computeRange({ lease, advert, link }: LeaseTask, ports: WorkerPorts): Promise<ReofferableResult> {
  const { grant, signal } = lease
  // The result goes where the input came, and may be longer.
  const bytes = Math.max(grant.inputBytes, grant.resultBytes)
  if (bytes > ports.memoryBytes) {
    const message = `the grant names ${bytes} bytes, more than the ${ports.memoryBytes} that this peer told it has`
    throw new SwarmError('GRANT_TOO_LARGE', message)
  }
  const buffer = ports.buffers.take(bytes)
  try {
    await link.chunk.pull(grant.leaseNumber, new Uint8Array(buffer, 0, grant.inputBytes), {
      signal,
      onBytes: (received) => {
        lease.movedBytes = received
      }
    })
    const call: KernelCall = { kind: advert.kind, params: advert.params, reverse: advert.reverse }
    const done = await ports.compute.runKernel(
      { call, buffer, byteLength: grant.inputBytes, inputHash: grant.inputHash, progress: lease.computed },
      { signal }
    )
    return { ...done, resultBytes: done.byteLength }
  } catch (error) {
    ports.buffers.give(buffer)
    throw error
  }
}

/** Brings the operands here, from whoever has them, and computes the tiles that they make. */
async function computeTiles(
  { lease, advert, link, operands }: LeaseTask,
  ports: WorkerPorts
): Promise<ReofferableResult> {
  const { grant, signal } = lease
  const run = runOfGrant(grant, advert)
  const request = { jobId: grant.jobId, operands: grant.operands, submitter: link.submitter }
  const loan = await operands.acquire(request, {
    signal,
    onBytes: (received) => {
      lease.movedBytes = received
    }
  })
  const { jobId, chunkIndex } = grant
  ports.onEvent({ event: 'operands-here', jobId, chunkIndex, ...loan.moved })
  try {
    const call = { kernelId: advert.kernelId, params: advert.params }
    const buffer = ports.buffers.take(grant.resultBytes)
    const blocks = { operands: loan.blocks, buffer, progress: lease.computed, hashes: true }
    const done = await ports.compute.runTiles({ call, run, ...blocks }, { signal })
    return { ...done, resultBytes: done.byteLength }
  } finally {
    loan.release()
    // What came over the network lies in buffers that the collector is slow to notice.
    if (ports.isTight && loan.moved.submitterBytes + loan.moved.peerBytes > 0) ports.collectGarbage?.()
  }
}

/** A grant names its chunk by its operands. @throws SwarmError INPUT_MISMATCH when it contradicts itself or the job */
function runOfGrant({ operands, inputHash, resultBytes }: Grant, advert: Advert): TileRun {
  const hasher = createContentHasher()
  for (const { hash } of operands) hasher.update(hash)
  if (!sameBytes(hasher.digest(), inputHash)) {
    throw new SwarmError('INPUT_MISMATCH', 'the operands that were granted do not have the hash that was granted')
  }
  try {
    const grid = new TileGrid(parseMatrixPlan(advert.params))
    const run = grid.runOf(operands.map(({ index }) => index))
    const isSame = operands.every(({ index, byteLength }) => grid.operand(index).byteLength === byteLength)
    if (isSame && run.outputBytes === resultBytes) return run
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw new SwarmError('INPUT_MISMATCH', 'the operands that were granted are not those of a run of tiles of the job')
}

async function offerResult(
  { lease, advert, link, onPulled }: LeaseTask,
  result: ReofferableResult,
  held: HeldResults,
  ports: WorkerPorts
): Promise<{ outcome: OfferOutcome; claim: Uint8Array }> {
  const { grant, signal } = lease
  const claim = await signClaim(grant, advert, result, ports)
  const view = new Uint8Array(result.buffer, 0, result.resultBytes)
  const movedBefore = lease.movedBytes
  try {
    const outcome = await link.result.offer(grant.leaseNumber, view, claim, {
      signal,
      onBytes: (sent) => {
        lease.movedBytes = movedBefore + sent
      },
      onPulled
    })
    return { outcome, claim }
  } catch (error) {
    // Only a lost submitter may come back for it; after a revocation nobody wants the bytes, which may still be queued
    // in the stream, so they are left to the garbage collector.
    if (link.signal.aborted) {
      held.keep({
        ...result,
        submitter: link.submitter,
        jobId: grant.jobId,
        chunkIndex: grant.chunkIndex,
        epoch: grant.epoch,
        heldSinceMs: ports.clock.nowMs()
      })
    }
    throw error
  }
}

function signClaim(grant: Grant, advert: Advert, result: ReofferableResult, ports: WorkerPorts): Promise<Uint8Array> {
  return ports.signClaim({
    jobId: grant.jobId,
    chunkIndex: grant.chunkIndex,
    epoch: grant.epoch,
    incarnation: grant.incarnation,
    submitter: advert.submitter,
    workerName: ports.name,
    kernelId: advert.kernelId,
    inputHash: grant.inputHash,
    outputHash: result.outputHash,
    inputBytes: grant.inputBytes,
    outputBytes: result.resultBytes,
    computeMs: result.computeMs
  })
}
