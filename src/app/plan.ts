import { forecastText } from '../domain/forecast-text.ts'
import type { JobForecast, MeasureSource } from '../domain/job.ts'
import { type Forecast, forecast } from '../domain/planner-forecast.ts'
import type { KernelMeasure } from '../store/measure-store.ts'
import type { PlanBasis, PlanPeer, PlanView, SubmitRequest } from './api-types.ts'
import { typicalChunkBytes, workOf } from './plan-work.ts'
import type { JobShape } from './shaped-job.ts'

/** Sources of speeds, the least certain first. */
const LEAST_CERTAIN: readonly MeasureSource[] = ['assumed', 'jobs', 'remembered', 'measured']

/** What a plan is made of. */
export interface PlanFacts {
  readonly kernel: KernelMeasure & { readonly source: MeasureSource; readonly measuredAtMs?: number }
  /** Kernel threads of this peer. */
  readonly threads: number
  /** Of this machine. */
  readonly cores: number
  readonly peers: readonly PlanPeer[]
}

/** Forecasts a job from what is known. */
export function planJob(shape: JobShape, request: SubmitRequest, facts: PlanFacts): PlanView {
  const { cores, kernel, peers, threads } = facts
  const plan = run(shape, request, facts)
  const sameMachine = peers.filter((peer) => peer.sameMachine).length
  const workers = threads + peers.reduce((sum, peer) => sum + peer.threads, 0)
  const chunkBytes = typicalChunkBytes(shape, request, kernel, workers)
  const basis: PlanBasis = { threads, cores, kernel: { kernelId: shape.kernelId, ...kernel }, peers }
  return {
    task: shape.kind.kind,
    inputBytes: shape.inputBytes,
    chunkBytes,
    chunks: Math.ceil(shape.inputBytes / chunkBytes),
    peers: peers.length,
    aloneMs: Math.round(plan.aloneMs),
    swarmMs: Math.round(plan.swarmMs),
    shippedBytes: plan.shippedBytes,
    worthShipping: plan.speedup > 1,
    summary: forecastText(plan, { peers: peers.length, sameMachine, cores }),
    faster: plan.faster,
    speedup: Math.round(plan.speedup * 100) / 100,
    limit: plan.limit,
    shippedShare: plan.shippedShare,
    basis
  }
}

/** The same, as a job keeps it. */
export function keptForecast(shape: JobShape, request: SubmitRequest, facts: PlanFacts): JobForecast {
  const { aloneMs, faster, limit, swarmMs } = run(shape, request, facts)
  const links = new Set(facts.peers.map(({ linkSource }) => linkSource))
  const linkSource = LEAST_CERTAIN.find((source) => links.has(source))
  return {
    aloneMs: Math.round(aloneMs),
    swarmMs: Math.round(swarmMs),
    expectedMs: Math.round(request.local === 'only' ? aloneMs : swarmMs),
    faster,
    limit,
    peers: facts.peers.length,
    sameMachinePeers: facts.peers.filter(({ sameMachine }) => sameMachine).length,
    kernelSource: facts.kernel.source,
    ...(linkSource !== undefined && { linkSource })
  }
}

function run(shape: JobShape, request: SubmitRequest, { cores, kernel, peers, threads }: PlanFacts): Forecast {
  return forecast({ work: workOf(shape, request, kernel), local: request.local, threads, cores, peers })
}
