import type { LeaseSession } from '../../protocols/lease/types.ts'
import type { PeerName } from '../domain/ids.ts'
import { forecast } from '../domain/planner-forecast.ts'
import type { RememberedPeer } from '../store/peer-store.ts'
import type { PlanView, SubmitRequest } from './api-types.ts'
import { shapeJob } from './job-shape.ts'

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
  const shape = await shapeJob(request)
  const { kind, inputBytes, blockBytes, chunkBytesMax } = shape
  const plan = forecast({
    inputBytes,
    blockBytes,
    chunkBytesMax,
    chunkBytesFixed: request.chunkBytes !== undefined,
    local: request.local,
    threads: facts.threads,
    localNsPerByte: kind.estimateNsPerByte(shape),
    encrypt: request.encrypt ?? kind.defaults.encrypt,
    peers: facts.peerIds.map((peerId) => {
      const speed = facts.remembered(peerId)?.speeds[kind.kind]
      const threads = facts.sessions.get(peerId)?.hello.threads ?? 1
      return { threads, ...(speed !== undefined && { bytesPerSecond: speed }) }
    })
  })
  return {
    task: kind.kind,
    inputBytes,
    chunkBytes: plan.chunkBytes,
    chunks: Math.ceil(inputBytes / plan.chunkBytes),
    peers: facts.peerIds.length,
    aloneMs: Math.round(plan.aloneMs),
    swarmMs: Math.round(plan.swarmMs),
    shippedBytes: plan.shippedBytes,
    worthShipping: plan.speedup > 1,
    summary: plan.reason
  }
}
