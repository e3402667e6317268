import { describe, expect, test } from 'vitest'
import { Figures } from './figures.ts'
import { drawScenario, type Scenario, type WorkerPlan } from './scenario.ts'
import { simulate } from './simulation.ts'

/** Other seeds each time would make a red build that nobody can explain: new ones are for the campaign. */
const SEEDS = 300

const steady: WorkerPlan = {
  name: 'peer-0',
  character: 'honest',
  blockMs: 20,
  latencyMs: 1,
  bytesPerMs: 64,
  depth: 2,
  lossShare: 0,
  duplicateShare: 0,
  stubborn: false,
  joinsAtMs: 0
}

const calm: Scenario = {
  seed: 1,
  inputBytes: 64 * 64,
  reverse: true,
  local: 'never',
  localBlockMs: 100,
  shipShare: 0.1,
  chunkBlocksMax: 4,
  chunkFixed: false,
  windowBlocks: 32,
  workers: [steady],
  faults: []
}

function peers(count: number, plan: Partial<WorkerPlan> = {}): readonly WorkerPlan[] {
  return Array.from({ length: count }, (_, index) => ({ ...steady, name: `peer-${index}`, ...plan }))
}

describe('a simulated swarm', () => {
  test(`merges every chunk once, in ${SEEDS} seeded runs of crashes, pauses, partitions, liars and restarts`, () => {
    const total = new Figures()
    for (let seed = 1; seed <= SEEDS; seed++)
      total.merge(simulate(drawScenario(seed, { workersMax: 16, blocksMax: 60 })))
    expect(total.runs).toBe(SEEDS)
    for (const count of Object.values(total.faults)) expect(count).toBeGreaterThan(20)
    expect(Math.min(total.releases, total.duplicates, total.backups, total.barred, total.adopted)).toBeGreaterThan(0)
  })

  test('is the same run again from the same seed', () => {
    const runs = [simulate(drawScenario(7)), simulate(drawScenario(7))]
    expect(runs[0]).toEqual(runs[1])
  })

  test('serves 300 workers at once', () => {
    const figures = simulate({ ...calm, inputBytes: 64 * 2_000, windowBlocks: 1_000, workers: peers(300) })
    expect(figures).toMatchObject({ releases: 0, localChunks: 0 })
  })

  test('is faster the more peers there are', () => {
    const alone = simulate(calm).virtualMs
    expect(simulate({ ...calm, workers: peers(4) }).virtualMs).toBeLessThan(alone / 2)
  })

  test('is hardly slower with the slowest peers than without any', () => {
    const alone = simulate({ ...calm, local: 'only', workers: [] }).virtualMs
    const slow = peers(3, { character: 'slow', blockMs: 3_000 })
    expect(simulate({ ...calm, local: 'auto', workers: slow }).virtualMs).toBeLessThan(1.1 * alone)
  })

  test('gives a killed worker’s chunk to another within milliseconds', () => {
    const faults = [{ atMs: 300, kind: 'kill' as const, worker: 1, durationMs: 5, returns: false }]
    const figures = simulate({ ...calm, workers: peers(3), faults })
    expect(figures.releases).toBeGreaterThan(0)
    expect(figures.regrantMs(1)).toBeLessThan(500)
  })

  test('hides a stopped worker behind backup copies long before its time to live is over', () => {
    const faults = [{ atMs: 300, kind: 'pause' as const, worker: 1, durationMs: 60_000, returns: true }]
    const figures = simulate({ ...calm, workers: peers(3), faults })
    expect(figures.backups).toBeGreaterThan(0)
    expect(figures.virtualMs).toBeLessThan(8_000)
  })
})
