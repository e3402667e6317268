import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CostModel, SHIP_NS_PER_BYTE } from '../../src/domain/cost-model.ts'
import { peerName } from '../../src/domain/ids.ts'

const ada = peerName('ada')
const bob = peerName('bob')

describe('CostModel', () => {
  test('starts from the estimate of the task kind and the measured cost of shipping', () => {
    const costs = new CostModel({ localNsPerByte: 0.13 })
    expect(costs.localNsPerByte).toBe(0.13)
    expect(costs.shipNsPerByte).toBe(SHIP_NS_PER_BYTE)
    expect(costs.peer(ada)).toBeUndefined()
    expect(costs.estimateMs(ada, 1_000)).toBeUndefined()
    expect(costs.localEstimateMs(1e6)).toBeCloseTo(0.13)
  })

  test('takes the first local measurement whole and moves towards later ones', () => {
    const costs = new CostModel({ localNsPerByte: 100 })
    costs.observeLocal({ bytes: 1e6, computeMs: 1 })
    expect(costs.localNsPerByte).toBe(1)
    costs.observeLocal({ bytes: 1e6, computeMs: 2 })
    expect(costs.localNsPerByte).toBeCloseTo(1.3)
    costs.observeTransport({ bytes: 1e6, cpuMs: 4.1 })
    expect(costs.shipNsPerByte).toBeCloseTo(2.7)
  })

  test('measures a peer from grant to return', () => {
    const costs = new CostModel({ localNsPerByte: 1 })
    costs.observePeer(ada, { bytes: 1_000, grantedAtMs: 10, returnedAtMs: 110, computeMs: 1 })
    costs.observeLatency(ada, 5)
    costs.observeLatency(bob, 5)
    expect(costs.peer(ada)).toMatchObject({ bytesPerSecond: 10_000, computeNsPerByte: 1_000, latencyMs: 5, chunks: 1 })
    expect(costs.estimateMs(ada, 2_000)).toBeCloseTo(205)
    expect(costs.peer(bob)).toBeUndefined()
  })

  test('does not hold it against a peer that chunks were under way at once', () => {
    const costs = new CostModel({ localNsPerByte: 1 })
    for (let chunk = 1; chunk <= 8; chunk++) {
      costs.observePeer(ada, { bytes: 1_000, grantedAtMs: 0, returnedAtMs: 100 * chunk, computeMs: 100 })
    }
    expect(costs.peer(ada)?.bytesPerSecond).toBeCloseTo(10_000)
  })

  test('adds up the peers it knows, and forgets those that left', () => {
    const sample = fc.tuple(fc.constantFrom(ada, bob), fc.boolean(), fc.integer({ min: 1, max: 1e6 }), fc.nat(1_000))
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 30 }), (samples) => {
        const costs = new CostModel({ localNsPerByte: 1 })
        let nowMs = 0
        for (const [peer, leaves, bytes, tookMs] of samples) {
          nowMs += tookMs
          if (leaves) costs.forget(peer)
          else costs.observePeer(peer, { bytes, grantedAtMs: nowMs - tookMs, returnedAtMs: nowMs, computeMs: 1 })
          const sum = (costs.peer(ada)?.bytesPerSecond ?? 0) + (costs.peer(bob)?.bytesPerSecond ?? 0)
          expect(Math.abs(costs.peersBytesPerSecond - sum)).toBeLessThanOrEqual(1e-6 * (1e10 + sum))
          expect(costs.measuredPeers).toBe([ada, bob].filter((known) => costs.peer(known)).length)
        }
      })
    )
  })
})
