import { describe, expect, test } from 'vitest'
import { Random } from '../sim/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { BLOCK_BYTES } from './operand-harness.ts'
import { OperandNetwork } from './operand-network.ts'

/** As 4096² in tiles of 512² with two blocks a panel: 16 blocks of A, 16 of B, 4 MiB each. */
const PANELS = 8
const DEPTHS = 2
const BLOCKS = 2 * PANELS * DEPTHS
const WORKERS = ['w1', 'w2', 'w3', 'w4']
const LONGEST_MS = 300_000

function shuffled(random: Random): readonly number[] {
  const order = Array.from({ length: PANELS }, (_, index) => index)
  for (let last = PANELS - 1; last > 0; last--) {
    const other = random.integer(0, last)
    const [left = 0, right = 0] = [order[last], order[other]]
    order[last] = right
    order[other] = left
  }
  return order
}

/** Tiles that touch each row and each column once, in an order of the worker's own. */
function leasesOf(random: Random): readonly (readonly number[])[] {
  const columns = shuffled(random)
  return shuffled(random).map((row, turn) => {
    const ofA = [row * DEPTHS, row * DEPTHS + 1]
    const ofB = ofA.map((_, depth) => (PANELS + (columns[turn] ?? 0)) * DEPTHS + depth)
    return [...ofA, ...ofB]
  })
}

async function spread(seed: number, namesHolders: boolean): Promise<{ ms: number; ratio: number; peerRatio: number }> {
  const clock = new VirtualClock()
  const random = new Random(seed)
  const network = new OperandNetwork(clock, random, namesHolders)
  let doneMs: number | undefined
  const running = Promise.all(WORKERS.map((name) => network.runWorker(name, leasesOf(random)))).then((stores) => {
    doneMs = clock.nowMs()
    return stores
  })
  while (doneMs === undefined && clock.nowMs() < LONGEST_MS) await clock.advance(100)
  const stores = await running
  for (const { totals } of stores)
    expect(totals.submitterBytes + totals.peerBytes).toBeGreaterThanOrEqual(BLOCKS * BLOCK_BYTES)
  const peerBytes = stores.reduce((sum, { totals }) => sum + totals.peerBytes, 0)
  return {
    ms: doneMs ?? Number.POSITIVE_INFINITY,
    ratio: network.submitterSentBytes / (BLOCKS * BLOCK_BYTES),
    peerRatio: peerBytes / (BLOCKS * BLOCK_BYTES)
  }
}

describe('four workers that all want all blocks', () => {
  test.each([1, 2, 3, 4])('get each about once from the submitter, in half the time (seed %i)', async (seed) => {
    const together = await spread(seed, true)
    const alone = await spread(seed, false)
    console.log(
      `seed ${seed}: the submitter sent ${together.ratio.toFixed(2)} × its blocks, workers ${together.peerRatio.toFixed(2)} ×, ` +
        `in ${(together.ms / 1000).toFixed(1)} s; alone ${alone.ratio.toFixed(2)} × in ${(alone.ms / 1000).toFixed(1)} s`
    )
    expect(alone.ratio).toBeCloseTo(WORKERS.length, 1)
    expect(together.ratio).toBeLessThanOrEqual(1.3)
    expect(together.ms).toBeLessThanOrEqual(alone.ms / 2)
  })
})
