import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LocalPolicy } from '../../src/domain/job.ts'
import { type ForecastInput, forecast } from '../../src/domain/planner-forecast.ts'

const invertJob: ForecastInput = {
  inputBytes: 635_040_000,
  local: 'auto',
  threads: 2,
  localNsPerByte: 0.13,
  encrypt: true,
  peers: [{ threads: 2 }, { threads: 4 }],
  blockBytes: 256 * 1024,
  chunkBytesMax: 4 * 1024 * 1024,
  chunkBytesFixed: false
}
const reverbJob: ForecastInput = { ...invertJob, localNsPerByte: 100 }

describe('forecast', () => {
  test('keeps an inversion, whose floor is the cipher, and ships one probe to each peer', () => {
    const plan = forecast(invertJob)
    expect(plan.aloneMs).toBeCloseTo(603, 0)
    expect(plan.shippedBytes).toBe(2 * invertJob.blockBytes)
    expect(plan.speedup).toBeGreaterThan(0.99)
    expect(plan.reason).toContain('Only a probe')
  })

  test('says that shipping an inversion all the same makes it slower', () => {
    const plan = forecast({ ...invertJob, local: 'never' })
    expect(plan.speedup).toBeLessThan(0.6)
    expect(plan.reason).toMatch(/times as slow as this machine alone/)
  })

  test('ships dear work in proportion to the speed of the peers', () => {
    const plan = forecast(reverbJob)
    expect(plan.speedup).toBeGreaterThan(3)
    expect(plan.speedup).toBeLessThan(4)
    expect(plan.shippedBytes / reverbJob.inputBytes).toBeGreaterThan(0.7)
    expect(plan.reason).toMatch(/76 % of the work goes to 2 peers, which is 3\.\d times as fast/)
  })

  test('follows what was measured rather than the number of threads', () => {
    const slowPeers = reverbJob.peers.map((peer) => ({ ...peer, bytesPerSecond: 1e5 }))
    expect(forecast({ ...reverbJob, peers: slowPeers }).speedup).toBeLessThan(1.05)
  })

  test('is bounded by the link', () => {
    expect(forecast({ ...reverbJob, linkBytesPerSecond: 1e6 }).speedup).toBeLessThan(1.1)
  })

  test('stays alone without peers, or when asked to', () => {
    expect(forecast({ ...reverbJob, peers: [] })).toMatchObject({ speedup: 1, shippedBytes: 0 })
    expect(forecast({ ...reverbJob, local: 'only' })).toMatchObject({ speedup: 1, shippedBytes: 0 })
  })

  test('gives finite numbers, and is never much worse than alone when it may choose', () => {
    const jobs = fc.record({
      inputBytes: fc.integer({ min: 1, max: 1e10 }),
      local: fc.constantFrom<LocalPolicy>('auto', 'never', 'only'),
      threads: fc.integer({ min: 1, max: 64 }),
      // No kernel is faster than memory: 10 GB/s.
      localNsPerByte: fc.double({ min: 0.1, max: 1e6, noNaN: true }),
      encrypt: fc.boolean(),
      peers: fc.array(fc.record({ threads: fc.integer({ min: 1, max: 64 }) }), { maxLength: 20 })
    })
    fc.assert(
      fc.property(jobs, (job) => {
        const plan = forecast({ ...invertJob, ...job })
        for (const number of [plan.aloneMs, plan.swarmMs, plan.speedup]) expect(number).toBeGreaterThan(0)
        expect(Number.isFinite(plan.swarmMs)).toBe(true)
        expect(plan.shippedBytes).toBeLessThanOrEqual(job.inputBytes)
        expect(plan.chunkBytes).toBeLessThanOrEqual(job.inputBytes)
        const probesBytes = job.peers.length * invertJob.blockBytes
        if (job.local === 'auto' && probesBytes < job.inputBytes / 100) expect(plan.speedup).toBeGreaterThan(0.7)
      })
    )
  })
})
