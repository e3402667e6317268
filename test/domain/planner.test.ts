import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planChunkBytes, type ShipInput, shipOrKeep, summarize } from '../../src/domain/planner.ts'

const MIB = 1024 * 1024
const bounds = { blockBytes: 256 * 1024, chunkBytesMax: 16 * MIB, chunkBytesFixed: false }
const load = { openBytes: 1e9, bytesPerSecond: 50e6 }
const speed = { bytesPerSecond: 10e6, computeNsPerByte: 10, largestBytes: 8 * MIB }

describe('planChunkBytes', () => {
  test('probes an unknown worker with one block', () => {
    expect(planChunkBytes(bounds, undefined, load)).toBe(bounds.blockBytes)
  })

  test('aims at 0.3 to 0.5 s of a known one', () => {
    const seconds = planChunkBytes(bounds, speed, load) / speed.bytesPerSecond
    expect(seconds).toBeGreaterThan(0.3)
    expect(seconds).toBeLessThan(0.5)
  })

  test('grows by no more than four times the longest chunk that came back', () => {
    const fresh = { ...speed, bytesPerSecond: 1e9, largestBytes: bounds.blockBytes }
    expect(planChunkBytes(bounds, fresh, { openBytes: 1e12, bytesPerSecond: 1e9 })).toBe(MIB)
  })

  test('shrinks near the end, so that all finish together', () => {
    const openBytes = 10 * MIB
    expect(planChunkBytes(bounds, speed, { openBytes, bytesPerSecond: 50e6 })).toBe(MIB)
  })

  test('keeps to the length that the user named', () => {
    const fixed = { ...bounds, chunkBytesFixed: true, chunkBytesMax: 4 * MIB }
    expect(planChunkBytes(fixed, undefined, load)).toBe(4 * MIB)
    expect(planChunkBytes(fixed, speed, { openBytes: 1, bytesPerSecond: 1 })).toBe(4 * MIB)
  })

  test('is whole blocks within bounds, and at most ten seconds of work', () => {
    const speeds = fc.record({
      bytesPerSecond: fc.double({ min: 1, max: 1e10, noNaN: true }),
      computeNsPerByte: fc.double({ min: 0, max: 1e6, noNaN: true }),
      largestBytes: fc.integer({ min: 1, max: 1e9 })
    })
    fc.assert(
      fc.property(
        speeds,
        fc.nat(1e9),
        fc.double({ min: 0, max: 1e11, noNaN: true }),
        (of, openBytes, bytesPerSecond) => {
          const chunkBytes = planChunkBytes(bounds, of, { openBytes, bytesPerSecond })
          expect(chunkBytes % bounds.blockBytes).toBe(0)
          expect(chunkBytes).toBeGreaterThanOrEqual(bounds.blockBytes)
          expect(chunkBytes).toBeLessThanOrEqual(bounds.chunkBytesMax)
          if (chunkBytes > bounds.blockBytes) expect((chunkBytes * of.computeNsPerByte) / 1e9).toBeLessThanOrEqual(10)
        }
      )
    )
  })
})

describe('shipOrKeep', () => {
  const reverb: ShipInput = {
    local: 'auto',
    probe: 'returned',
    place: 'elsewhere',
    localNsPerByte: 12,
    shipNsPerByte: 2.1,
    peerMs: 400,
    localDrainMs: 5_000
  }

  test.each<[string, Partial<ShipInput>, boolean, string]>([
    ['ships dear work to a peer that is back in time', {}, true, 'gain'],
    ['keeps cheap work', { localNsPerByte: 0.13 }, false, 'transport'],
    ['keeps work when the peer would be late', { localDrainMs: 400 }, false, 'late'],
    ['probes every new peer, even for cheap work', { probe: 'unsent', localNsPerByte: 0.13 }, true, 'probe'],
    ['waits for the probe', { probe: 'sent' }, false, 'probing'],
    ['keeps work from a peer that shares the cores', { place: 'shared-cores' }, false, 'shared-cores'],
    ['probes a peer that shares the cores too', { place: 'shared-cores', probe: 'unsent' }, true, 'probe'],
    ['ships dear work to spare cores of this machine', { place: 'spare-cores' }, true, 'gain'],
    ['counts both ends of the way on one machine', { place: 'spare-cores', shipNsPerByte: 4 }, false, 'transport'],
    ['ships all when told so, whoever has the cores', { local: 'never', place: 'shared-cores' }, true, 'never'],
    ['ships all when told so', { local: 'never', localNsPerByte: 0.13, probe: 'sent' }, true, 'never'],
    ['ships nothing when told so', { local: 'only', probe: 'unsent' }, false, 'only']
  ])('%s', (_, change, ship, reason) => {
    expect(shipOrKeep({ ...reverb, ...change })).toEqual({ ship, reason })
  })
})

describe('summarize', () => {
  const job = {
    sharingPeers: 0,
    local: 'auto',
    keptBytes: 990,
    shippedBytes: 10,
    peers: 2,
    localNsPerByte: 0.13,
    shipNsPerByte: 2.1
  } as const

  test('says why cheap work stayed', () => {
    expect(summarize(job)).toBe(
      '99 % stayed here and 1 % of the work was shipped to 2 peers as a probe: ' +
        'shipping a byte costs this machine 2.10 ns, computing it 0.13 ns.'
    )
  })

  test('says why dear work went out', () => {
    expect(summarize({ ...job, localNsPerByte: 12, keptBytes: 300, shippedBytes: 700, peers: 1 })).toBe(
      '70 % of the work was shipped to 1 peer and 30 % stayed here: ' +
        'shipping a byte costs this machine 2.10 ns, computing it 12 ns.'
    )
  })

  test('says when it was told what to do, or had no peers', () => {
    expect(summarize({ ...job, local: 'only' })).toBe('All work stayed here, as asked.')
    expect(summarize({ ...job, local: 'never', keptBytes: 0 })).toBe('All work was shipped to 2 peers, as asked.')
    expect(summarize({ ...job, shippedBytes: 0, peers: 0 })).toBe('All work stayed here: no peer returned a chunk.')
    expect(summarize({ ...job, localNsPerByte: 12, sharingPeers: 2 })).toContain(
      'as a probe: peers on this machine share its cores, which are at work already.'
    )
  })

  test('does not call a small share nothing', () => {
    expect(summarize({ ...job, keptBytes: 9_990, shippedBytes: 10 })).toContain('0.1 % of the work was shipped')
  })
})
