import type { LeaseSession } from '../../protocols/lease/types.ts'
import type { PeerName } from '../domain/ids.ts'
import { forecast } from '../domain/planner-forecast.ts'
import { checkInputFile } from '../store/input-file.ts'
import type { RememberedPeer } from '../store/peer-store.ts'
import { BLOCK_BYTES, CHUNK_BYTES_MAX } from '../submitter/open-job.ts'
import { requireTaskKind } from '../tasks/registry.ts'
import type { PlanView, SubmitRequest } from './api-types.ts'

/** What is known of the swarm for a plan. */
export interface PlanFacts {
  /** Kernel threads of this machine. */
  readonly threads: number
  /** Connected members. */
  readonly peerIds: readonly string[]
  readonly sessions: ReadonlyMap<string, LeaseSession>
  remembered(peerId: PeerName | string): RememberedPeer | undefined
}

/** Forecasts a job before a byte moves. @throws SwarmError as `submit` does for a bad request */
export async function planJob(request: SubmitRequest, facts: PlanFacts): Promise<PlanView> {
  const kind = requireTaskKind(request.task)
  const input = await checkInputFile(request.inputPath)
  kind.checkInput(input.byteLength)
  const chunkBytesMax = request.chunkBytes ?? CHUNK_BYTES_MAX
  const plan = forecast({
    inputBytes: input.byteLength,
    blockBytes: Math.min(BLOCK_BYTES, chunkBytesMax),
    chunkBytesMax,
    chunkBytesFixed: request.chunkBytes !== undefined,
    local: request.local,
    threads: facts.threads,
    localNsPerByte: kind.estimateNsPerByte,
    encrypt: request.encrypt ?? kind.defaults.encrypt,
    peers: facts.peerIds.map((peerId) => {
      const speed = facts.remembered(peerId)?.speeds[kind.kind]
      const threads = facts.sessions.get(peerId)?.hello.threads ?? 1
      return { threads, ...(speed !== undefined && { bytesPerSecond: speed }) }
    })
  })
  return {
    task: kind.kind,
    inputBytes: input.byteLength,
    chunkBytes: plan.chunkBytes,
    chunks: Math.ceil(input.byteLength / plan.chunkBytes),
    peers: facts.peerIds.length,
    aloneMs: Math.round(plan.aloneMs),
    swarmMs: Math.round(plan.swarmMs),
    shippedBytes: plan.shippedBytes,
    worthShipping: plan.speedup > 1,
    summary: plan.reason
  }
}
