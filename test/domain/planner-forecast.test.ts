import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { forecastText } from '../../src/domain/forecast-text.ts'
import type { ForecastInput, ForecastPeer, ForecastWork } from '../../src/domain/forecast-types.ts'
import type { LocalPolicy } from '../../src/domain/job.ts'
import { type Forecast, forecast } from '../../src/domain/planner-forecast.ts'

const MIB = 1024 * 1024
/** 4096 squared: 64 tiles of 50 ms each on a thread. */
const product: ForecastWork = {
  computeMs: 3_200,
  startMs: 100,
  checkMs: 1_000,
  inputBytes: 128 * MIB,
  resultBytes: 64 * MIB,
  parts: 64,
  partInputBytes: 16 * MIB,
  transport: { hereNsPerByte: 2.1, thereNsPerByte: 1.9 },
  sealing: 'none',
  kept: false
}
const inversion: ForecastWork = {
  computeMs: 83,
  startMs: 50,
  checkMs: 0,
  inputBytes: 635_040_000,
  resultBytes: 635_040_000,
  parts: 2_423,
  transport: { hereNsPerByte: 1.05, thereNsPerByte: 0.95 },
  sealing: 'along',
  kept: true
}
const away: ForecastPeer = {
  sameMachine: false,
  threads: 2,
  computeMs: 1_600,
  linkBytesPerSecond: 1e9,
  latencyMs: 1
}
const beside: ForecastPeer = { ...away, sameMachine: true }
const machine = { local: 'auto', threads: 2, cores: 2 } as const

function plan(work: ForecastWork, peers: readonly ForecastPeer[], changes: Partial<ForecastInput> = {}): Forecast {
  return forecast({ ...machine, work, peers, ...changes })
}

function textOf(work: ForecastWork, peers: readonly ForecastPeer[], changes: Partial<ForecastInput> = {}): string {
  const sameMachine = peers.filter((peer) => peer.sameMachine).length
  return forecastText(plan(work, peers, changes), { peers: peers.length, sameMachine, cores: 2 })
}

describe('a forecast of a product', () => {
  test('finds that a small one is over before a peer has begun', () => {
    const small = { ...product, computeMs: 1, checkMs: 1, parts: 1, inputBytes: 32_768, resultBytes: 16_384 }
    expect(plan(small, [away, away])).toMatchObject({ faster: 'alone', limit: 'latency', shippedShare: 0 })
    expect(textOf(small, [away, away])).toMatch(/^Working alone is faster: .* over before a first result of a peer/)
  })

  test('finds that a large one is faster with two machines', () => {
    const large = { ...product, computeMs: 32_000, checkMs: 2_000 }
    const found = plan(large, [
      { ...away, computeMs: 16_000 },
      { ...away, computeMs: 16_000 }
    ])
    expect(found).toMatchObject({ faster: 'swarm', limit: 'compute' })
    expect(found.speedup).toBeGreaterThan(2.3)
    expect(found.speedup).toBeLessThan(3)
    expect(textOf(large, [{ ...away, computeMs: 16_000 }])).toMatch(
      /^The swarm is faster: 1\.\d times as fast as alone/
    )
  })

  test('says in words that peers on the same machine share its cores', () => {
    const found = plan(product, [beside, beside])
    expect(found).toMatchObject({ faster: 'alone', limit: 'shared-cores' })
    expect(textOf(product, [beside, beside])).toContain('The 2 peers run on this machine and share its 2 cores')
    expect(textOf(product, [beside, { ...away }])).toContain("1 of 2 peers shares this machine's cores and adds none")
  })

  test('lets peers on this machine use cores that the submitter leaves idle', () => {
    const wide = plan({ ...product, computeMs: 64_000 }, [{ ...beside, threads: 6 }], { cores: 8 })
    expect(wide.speedup).toBeGreaterThan(2)
  })

  test('names a slow uplink, slow checks, and slow links', () => {
    const slow = { ...away, linkBytesPerSecond: 5e6 }
    expect(plan({ ...product, computeMs: 64_000 }, Array(8).fill({ ...slow, computeMs: 10 })).limit).toBe('uplink')
    expect(plan({ ...product, checkMs: 1e6 }, [away]).limit).toBe('checks')
    const long = { ...product, computeMs: 640_000 }
    expect(
      plan(long, [
        { ...slow, computeMs: 1 },
        { ...away, computeMs: 1e5, linkBytesPerSecond: 1e8 }
      ]).limit
    ).toBe('compute')
  })

  test('sends shared operands once, however many peers take them', () => {
    const found = plan({ ...product, computeMs: 64_000 }, Array(4).fill(away), { local: 'never' })
    expect(found.shippedBytes).toBe(product.inputBytes + product.resultBytes)
  })
})

describe('a forecast of an inversion', () => {
  test('keeps it here, and ships one probe to each peer', () => {
    const found = plan(inversion, [away, away])
    expect(found).toMatchObject({ limit: 'transport', faster: 'neither' })
    expect(found.shippedBytes).toBeLessThan(MIB * 4)
    expect(textOf(inversion, [away])).toContain('each peer gets only a probe')
  })

  test('is bounded by the cipher, or by shipping when that is asked for', () => {
    expect(plan(inversion, []).aloneMs).toBeGreaterThan(603)
    const slow = { ...away, linkBytesPerSecond: 100e6 }
    expect(plan(inversion, [slow], { local: 'never' })).toMatchObject({ faster: 'alone', limit: 'uplink' })
    expect(plan(inversion, [slow], { local: 'never' }).swarmMs).toBeGreaterThan(6_000)
  })
})

describe('any forecast', () => {
  const works = fc
    .record({
      computeMs: fc.double({ min: 0.1, max: 1e7, noNaN: true }),
      startMs: fc.double({ min: 0, max: 1e3, noNaN: true }),
      checkMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
      inputBytes: fc.integer({ min: 4, max: 1e10 }),
      resultBytes: fc.integer({ min: 4, max: 1e10 }),
      parts: fc.integer({ min: 1, max: 1e5 }),
      sealing: fc.constantFrom('none' as const, 'along' as const, 'after' as const),
      kept: fc.boolean(),
      shared: fc.boolean()
    })
    .map(({ shared, ...work }): ForecastWork => {
      const part = { partInputBytes: Math.max(1, (2 * work.inputBytes) / Math.sqrt(work.parts)) }
      return { ...work, transport: product.transport, ...(shared && part) }
    })
  const peer = fc.record({
    sameMachine: fc.boolean(),
    threads: fc.integer({ min: 1, max: 64 }),
    computeMs: fc.double({ min: 0.1, max: 1e7, noNaN: true }),
    linkBytesPerSecond: fc.double({ min: 1e4, max: 1e10, noNaN: true }),
    latencyMs: fc.double({ min: 0, max: 1e3, noNaN: true })
  })
  const peers = fc.array(peer, { maxLength: 12 })
  const input = fc.record({
    work: works,
    local: fc.constantFrom<LocalPolicy>('auto', 'never', 'only'),
    threads: fc.integer({ min: 1, max: 64 }),
    cores: fc.integer({ min: 1, max: 64 }),
    peers
  })
  const recommended = ({ aloneMs, swarmMs }: Forecast) => Math.min(aloneMs, swarmMs)

  test('has finite times, a share of 0 to 1, and words', () => {
    fc.assert(
      fc.property(input, (job) => {
        const found = forecast(job)
        for (const ms of [found.aloneMs, found.swarmMs]) expect(Number.isFinite(ms) && ms > 0).toBe(true)
        expect(found.shippedShare).toBeGreaterThanOrEqual(0)
        expect(found.shippedShare).toBeLessThanOrEqual(1)
        expect(found.shippedBytes).toBeLessThanOrEqual(job.work.inputBytes + job.work.resultBytes)
        const sameMachine = job.peers.filter((one) => one.sameMachine).length
        expect(forecastText(found, { peers: job.peers.length, sameMachine, cores: job.cores })).toMatch(/^[A-Z].*\.$/)
      })
    )
  })

  test('is alone without peers, or when asked to be', () => {
    fc.assert(
      fc.property(input, (job) => {
        const only = forecast({ ...job, local: 'only' })
        expect(only).toMatchObject({ speedup: 1, shippedBytes: 0, faster: 'neither', limit: 'asked' })
        if (job.local === 'only') return
        expect(forecast({ ...job, peers: [] })).toMatchObject({ speedup: 1, limit: 'no-peers' })
      })
    )
  })

  test('recommends nothing slower than alone, and time alone does not depend on peers', () => {
    fc.assert(
      fc.property(input, peers, (job, more) => {
        const [fewer, all] = [forecast(job), forecast({ ...job, peers: [...job.peers, ...more] })]
        expect(all.aloneMs).toBe(fewer.aloneMs)
        expect(recommended(all)).toBeLessThanOrEqual(fewer.aloneMs)
      })
    )
  })

  test('recommends nothing slower for a faster link', () => {
    fc.assert(
      fc.property(input, fc.double({ min: 1, max: 1e3, noNaN: true }), (job, factor) => {
        const faster = job.peers.map((one) => ({ ...one, linkBytesPerSecond: one.linkBytesPerSecond * factor }))
        const [before, after] = [forecast(job), forecast({ ...job, peers: faster })]
        expect(recommended(after)).toBeLessThanOrEqual(recommended(before) * (1 + 1e-9))
      })
    )
  })

  test('is no shorter for more work', () => {
    fc.assert(
      fc.property(input, fc.double({ min: 1, max: 1e3, noNaN: true }), (job, factor) => {
        const work = { ...job.work, computeMs: job.work.computeMs * factor }
        const slower = job.peers.map((one) => ({ ...one, computeMs: one.computeMs * factor }))
        const longer = forecast({ ...job, work, peers: slower })
        expect(longer.aloneMs).toBeGreaterThanOrEqual(forecast(job).aloneMs)
      })
    )
  })
})
