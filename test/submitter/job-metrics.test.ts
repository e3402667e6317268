import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { peerName } from '../../src/domain/ids.ts'
import { JobMetrics } from '../../src/submitter/job-metrics.ts'

const JOB = { inputBytes: 100, outputBytes: 100, releases: 1, duplicates: 2, totalMs: 3 }

function merged(chunkIndex: number, peer?: string) {
  const by = peer === undefined ? {} : { peerId: peerName(peer), peerName: `${peer} the peer` }
  return { chunkIndex, computeMs: 30, transferMs: peer === undefined ? 0 : 10, ...by }
}

const NO_GRANTS = { claims: 0, p50Ms: 0, p99Ms: 0, mostMs: 0 }

describe('the metrics of a job', () => {
  test('are empty at first', () => {
    const none = {
      chunks: 0,
      localChunks: 0,
      computeMs: 0,
      transferMs: 0,
      checkMs: 0,
      efficiency: 0,
      peers: [],
      grants: NO_GRANTS
    }
    expect(new JobMetrics().counters(JOB)).toEqual({ ...JOB, ...none })
  })

  test('add up chunks and times, and credit peers but not the submitter', () => {
    const metrics = new JobMetrics()
    metrics.onMerged(merged(0), 5)
    metrics.onMerged(merged(1, 'ada'), 6)
    metrics.onMerged(merged(2, 'ada'), 7)
    metrics.onMerged(merged(3, 'bob'), 50)
    expect(metrics.counters(JOB)).toMatchObject({
      chunks: 4,
      localChunks: 1,
      computeMs: 120,
      transferMs: 30,
      efficiency: 80,
      peers: [
        { peerId: 'bob', name: 'bob the peer', chunks: 1, units: 50, computeMs: 30 },
        { peerId: 'ada', name: 'ada the peer', chunks: 2, units: 13, computeMs: 60 }
      ]
    })
  })

  test('count traffic once for the journal, and restored traffic not again', () => {
    const metrics = new JobMetrics()
    metrics.restoreTraffic('ada', 'ada', 100, 200)
    metrics.onTraffic('ada', '', 1, 2)
    metrics.onTraffic('ada', '', 10, 20)
    expect(metrics.takeTraffic()).toEqual([{ peerId: 'ada', name: 'ada', bytesIn: 11, bytesOut: 22 }])
    expect(metrics.takeTraffic()).toEqual([])
    expect(metrics.counters(JOB).peers).toMatchObject([{ bytesIn: 111, bytesOut: 222 }])
  })

  test('give the rate over the last three seconds', () => {
    const metrics = new JobMetrics()
    expect(metrics.rate(0, 0)).toBe(0)
    for (let nowMs = 250; nowMs <= 10_000; nowMs += 250) metrics.rate(nowMs, nowMs < 5_000 ? 0 : nowMs - 5_000)
    expect(metrics.rate(10_250, 5_250)).toBeCloseTo(1_000)
    for (let nowMs = 10_500; nowMs <= 14_000; nowMs += 250) metrics.rate(nowMs, 5_250)
    expect(metrics.rate(14_250, 5_250)).toBe(0)
  })

  test('never give a negative or infinite rate', () => {
    const steps = fc.array(fc.record({ ms: fc.integer({ min: 0, max: 5_000 }), bytes: fc.nat() }))
    fc.assert(
      fc.property(steps, (moves) => {
        const metrics = new JobMetrics()
        let nowMs = 0
        let bytes = 0
        for (const move of moves) {
          nowMs += move.ms
          bytes += move.bytes
          const rate = metrics.rate(nowMs, bytes)
          expect(rate).toBeGreaterThanOrEqual(0)
          expect(Number.isFinite(rate)).toBe(true)
        }
      })
    )
  })

  test('tells how long claims waited for their grants, to a percent', () => {
    const metrics = new JobMetrics()
    for (let ms = 1; ms <= 100; ms++) metrics.onGranted(ms)
    const { grants } = metrics.counters({ inputBytes: 0, outputBytes: 0, releases: 0, duplicates: 0, totalMs: 0 })
    expect(grants.claims).toBe(100)
    expect(grants.p50Ms).toBeCloseTo(50, -1)
    expect(grants.p99Ms).toBeCloseTo(99, -1)
    expect(grants.mostMs).toBeGreaterThanOrEqual(grants.p99Ms)
  })
})
