// `npm run campaign:matrix-lies [-- --lies 1000 --honest 10000 --large 20 --seed 1]`: checks false tiles of each kind and
// honest tiles of many shapes, scales and kernels, and prints how many were refused, by kind.
import { parseArgs } from 'node:util'
import { multiplyExact } from '../../src/tasks/matrix/exact-kernel.ts'
import { type ClaimedTile, checkTile } from '../../src/tasks/matrix/freivalds.ts'
import { judgeElement } from '../../src/tasks/matrix/freivalds-element.ts'
import { Random } from '../sim/random.ts'
import { KERNELS, multiplyNaive } from '../tasks/matrix/freivalds-kernels.ts'
import { drawOperands, drawSeed, FILLS, sprinkle } from '../tasks/matrix/freivalds-tiles.ts'

const { values } = parseArgs({
  options: {
    lies: { type: 'string', default: '1000' },
    honest: { type: 'string', default: '10000' },
    large: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' }
  }
})
const WITHIN = 'one element off by 1e-3, within its honest limit: no lie'
const BARELY = 'one element off by 1e-3, beyond its honest limit by less than twice'
const random = new Random(Number(values.seed))

/** One false tile of each kind per turn. */
function lie(count: number): void {
  const tally = new Tally()
  for (let turn = 0; turn < count; turn++) {
    const fill = random.pick(['uniform', 'normal', 'positive', 'scales by outer index'])
    const k = Math.round(2 ** random.between(4, 12))
    const [m, n] = [random.integer(2, 96), random.integer(2, 96)]
    const operands = drawOperands(random, fill, m, k, n)
    const tile = { ...operands, c: multiplyNaive(operands.a, operands.b, m, k, n) }
    changeElement(tile, tally)

    const upper = random.integer(0, m - 2)
    const swapped = tile.c.slice()
    swapped.copyWithin(upper * n, (upper + 1) * n, (upper + 2) * n)
    swapped.set(tile.c.subarray(upper * n, (upper + 1) * n), (upper + 1) * n)
    tally.add('two rows swapped', { ...tile, c: swapped })
    tally.add('zeros', { ...tile, c: new Float32Array(m * n) })
    const others = drawOperands(random, fill, m, k, n)
    tally.add('wrong row panel', { ...tile, c: multiplyNaive(others.a, tile.b, m, k, n) })
    tally.add('wrong column panel', { ...tile, c: multiplyNaive(tile.a, others.b, m, k, n) })
  }
  tally.print(`${count} false tiles of each kind, 2 to 96 rows and columns, k from 16 to 4096`)
}

/** Fifty single elements in each large tile, summed in the order with the most rounding. */
function lieLarge(count: number): void {
  const tally = new Tally()
  for (let turn = 0; turn < count; turn++) {
    const [m, k, n] = turn % 2 === 0 ? ([512, 512, 512] as const) : ([128, 4096, 512] as const)
    const operands = drawOperands(random, 'uniform', m, k, n)
    const tile = { ...operands, c: new Float32Array(m * n) }
    multiplyExact(tile)
    for (let change = 0; change < 50; change++) changeElement(tile, tally)
  }
  tally.print(`${count} tiles of 512×512·512×512 and 128×4096·4096×512, fifty lies each`)
}

/**
 * An element at random is off by 1e-3 of itself. What an honest kernel may give for that very element is no lie; what is
 * less than twice as far off is found with high probability only, and counted by itself.
 */
function changeElement(tile: ClaimedTile, tally: Tally): void {
  const { c, m, n } = tile
  const place = random.integer(0, m * n - 1)
  const honest = c[place] as number
  c[place] = honest * (1 + random.pick([-1e-3, 1e-3]))
  const { fault, expected, limit } = judgeElement(tile, Math.floor(place / n), place % n)
  const share = Math.abs((c[place] as number) - expected) / limit
  const kind = fault === undefined ? WITHIN : share < 2 ? BARELY : 'one element off by 1e-3'
  tally.add(kind, tile)
  c[place] = honest
}

function beHonest(count: number): void {
  const worst = new Map<string, number>()
  let refused = 0
  for (let turn = 0; turn < count; turn++) {
    const fill = random.pick(Object.keys(FILLS))
    const kernel = random.pick(Object.keys(KERNELS))
    const [m, n] = [random.integer(1, 48), random.integer(1, 48)]
    const kMax = Math.min(4096, Math.max(2, 120_000 / (m * n)))
    const k = Math.round(2 ** random.between(0, Math.log2(kMax)))
    const operands = drawOperands(random, fill, m, k, n)
    if (random.chance(0.1)) sprinkle(random, operands.a, random.integer(1, 3))
    if (random.chance(0.1)) sprinkle(random, operands.b, random.integer(1, 3))
    const c = KERNELS[kernel]?.(operands.a, operands.b, m, k, n) ?? new Float32Array(0)
    const verdict = checkTile({ ...operands, c, seed: drawSeed(random) })
    worst.set(fill, Math.max(worst.get(fill) ?? 0, verdict.worstShare))
    if (verdict.passed) continue
    refused++
    console.error(`FAILED: honest tile refused: ${fill}, ${kernel}, ${m}×${k}×${n}: ${verdict.reason}`)
    process.exitCode = 1
  }
  console.log(
    `${count} honest tiles: ${refused} refused; largest share of an element's limit that was used, by content:`
  )
  for (const [fill, share] of worst) console.log(`  ${fill}: ${(100 * share).toFixed(1)} %`)
}

class Tally {
  readonly #counts = new Map<string, { refused: number; passed: number }>()

  add(kind: string, tile: ClaimedTile): void {
    const count = this.#counts.get(kind) ?? { refused: 0, passed: 0 }
    this.#counts.set(kind, count)
    if (checkTile({ ...tile, seed: drawSeed(random) }).passed) count.passed++
    else count.refused++
  }

  print(title: string): void {
    console.log(title)
    for (const [kind, { refused, passed }] of this.#counts) {
      console.log(`  ${kind}: ${refused} refused, ${passed} passed`)
      if (passed === 0 || kind === WITHIN || kind === BARELY) continue
      console.error(`FAILED: ${passed} lies passed: ${kind}`)
      process.exitCode = 1
    }
  }
}

const startedAtMs = performance.now()
lie(Number(values.lies))
lieLarge(Number(values.large))
beHonest(Number(values.honest))
console.log(`seed ${values.seed}, ${((performance.now() - startedAtMs) / 1e3).toFixed(0)} s`)
