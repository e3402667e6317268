import { describe, expect, test } from 'vitest'
import { CostModel } from '../../src/domain/cost-model.ts'
import { peerName } from '../../src/domain/ids.ts'
import type { LocalPolicy } from '../../src/domain/job.ts'
import { Scheduler } from '../../src/domain/scheduler.ts'

const BLOCK_BYTES = 1_000
const ada = peerName('ada')
/** On the submitter's machine. */
const here = peerName('here')
const wanted = { count: 4, openBytes: 1e6, heldBytes: 0 }

function make(localNsPerByte: number, local: LocalPolicy = 'auto'): { scheduler: Scheduler; costs: CostModel } {
  const costs = new CostModel({ localNsPerByte })
  const bounds = { blockBytes: BLOCK_BYTES, chunkBytesMax: 100_000, chunkBytesFixed: false }
  return {
    scheduler: new Scheduler({ ...bounds, local, threads: 2, cores: 2, isHere: (peer) => peer === here }, costs),
    costs
  }
}

describe('Scheduler', () => {
  test('probes a peer that shares its cores, then keeps work from it, unless told to ship all', () => {
    const { scheduler, costs } = make(12)
    expect(scheduler.planPeer(here, wanted)).toMatchObject({ ship: true, reason: 'probe' })
    scheduler.probeSent(here)
    costs.observePeer(here, { bytes: BLOCK_BYTES, grantedAtMs: 0, returnedAtMs: 1, computeMs: 0.01 })
    expect(scheduler.planPeer(here, wanted)).toMatchObject({ ship: false, reason: 'shared-cores' })
    expect(make(12, 'never').scheduler.planPeer(here, wanted)).toMatchObject({ ship: true, reason: 'never' })
  })

  test('gives a new peer one probe of one block, and nothing more until it is back', () => {
    const { scheduler } = make(0.13)
    expect(scheduler.planPeer(ada, wanted)).toMatchObject({
      ship: true,
      reason: 'probe',
      count: 1,
      chunkBytes: BLOCK_BYTES
    })
    scheduler.probeSent(ada)
    const plan = scheduler.planPeer(ada, wanted)
    expect(plan).toMatchObject({ ship: false, reason: 'probing' })
    expect(plan.retryAfterMs).toBeGreaterThan(0)
  })

  test('probes again when the probe was lost', () => {
    const { scheduler } = make(0.13)
    scheduler.probeSent(ada)
    scheduler.forget(ada)
    expect(scheduler.planPeer(ada, wanted).reason).toBe('probe')
  })

  test('keeps cheap work once the probe is back, and ships dear work in longer chunks', () => {
    const sample = { bytes: BLOCK_BYTES, grantedAtMs: 0, returnedAtMs: 1, computeMs: 1 }
    const cheap = make(0.13)
    cheap.costs.observePeer(ada, sample)
    expect(cheap.scheduler.planPeer(ada, wanted)).toMatchObject({ ship: false, reason: 'transport' })
    const dear = make(1e6)
    dear.costs.observePeer(ada, sample)
    const plan = dear.scheduler.planPeer(ada, wanted)
    expect(plan).toMatchObject({ ship: true, reason: 'gain', count: 4, chunkBytes: 4 * BLOCK_BYTES, retryAfterMs: 0 })
    expect(plan.estimateMs?.(2_000)).toBeCloseTo(2)
  })

  test('counts what the peer already holds', () => {
    const { scheduler, costs } = make(1_000)
    costs.observePeer(ada, { bytes: BLOCK_BYTES, grantedAtMs: 0, returnedAtMs: 1, computeMs: 1 })
    expect(scheduler.planPeer(ada, { ...wanted, openBytes: 50_000 }).reason).toBe('gain')
    expect(scheduler.planPeer(ada, { ...wanted, openBytes: 50_000, heldBytes: 40_000 }).reason).toBe('late')
  })

  test('leaves backup copies to the lease table once nothing is open', () => {
    const { scheduler, costs } = make(1_000)
    costs.observePeer(ada, { bytes: BLOCK_BYTES, grantedAtMs: 0, returnedAtMs: 1, computeMs: 1 })
    expect(scheduler.planPeer(ada, { ...wanted, openBytes: 0 }).ship).toBe(true)
  })

  test('gives a new peer all it asks for when everything is shipped', () => {
    const { scheduler } = make(0.13, 'never')
    expect(scheduler.planPeer(ada, wanted)).toMatchObject({
      ship: true,
      reason: 'never',
      count: 4,
      chunkBytes: BLOCK_BYTES
    })
  })

  test("plans the submitter's own chunks by its own speed", () => {
    const { scheduler } = make(1e5)
    const plan = scheduler.planLocal(1e6)
    expect(plan.chunkBytes).toBe(4 * BLOCK_BYTES)
    expect(plan.estimateMs(BLOCK_BYTES)).toBeCloseTo(100)
  })
})
