// `node test/bench/matrix-check.ts [--rounds 15]`: what checking a tile costs beside computing it, with the fast kernel on one
// thread in alternating rounds of one run. Prints medians, their ratio and the ratio of the best, by shape.
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { FastProduct } from '../../src/compute/fast-product.ts'
import { type ClaimedTile, checkTile } from '../../src/tasks/matrix/freivalds.ts'
import { recomputeRowExact } from '../../src/tasks/matrix/freivalds-exact.ts'
import { median } from './figures.ts'
import { randomMatrix } from './matrix-data.ts'

/** Rows of A, inner dimension, columns of B. */
const SHAPES = [
  [512, 4096, 512],
  [512, 8192, 512],
  [256, 512, 256],
  [64, 64, 64]
] as const
/** What a round takes at least, so that clocks and calls do not count. */
const ROUND_FLOPS = 1e8

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } })
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  throw new Error(`--rounds takes a whole number from 1, not ${values.rounds}`)
}
const load = loadavg().map((value) => value.toFixed(2))
say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}, load ${load.join(' ')}`)
say('  m × k × n        product ms  GFLOP/s  check ms  of product  of the best  exact row ms')
for (const [m, k, n] of SHAPES) await benchShape(m, k, n)

async function benchShape(m: number, k: number, n: number): Promise<void> {
  const a = randomMatrix(m * k, 1)
  const b = randomMatrix(k * n, 2)
  const tile: ClaimedTile = { a, b, c: new Float32Array(m * n), m, k, n }
  const fast = await FastProduct.create({ threads: 1, device: 'cpu' })
  const multiply = () => fast.multiply({ a: [a], b: [b], c: tile.c, m, n })
  const repeats = Math.max(1, Math.round(ROUND_FLOPS / (2 * m * k * n)))
  const times = { product: [] as number[], check: [] as number[], row: [] as number[] }
  try {
    await multiply()
    // As many calls before as V8 takes to compile all passes in full.
    for (let turn = 0; turn < 20; turn++) check(tile, turn)
    for (let round = 0; round < rounds; round++) {
      times.product.push(await timed(repeats, multiply))
      times.check.push(await timed(repeats, (repeat) => check(tile, round * repeats + repeat)))
      times.row.push(await timed(repeats, () => recomputeRowExact(tile, round % m)))
    }
  } finally {
    await fast.release()
  }
  const product = median(times.product)
  const ratio = median(times.check.map((ms, round) => ms / (times.product[round] ?? Number.NaN)))
  const best = Math.min(...times.check) / Math.min(...times.product)
  const cells = [
    `${m} × ${k} × ${n}`.padEnd(15),
    product.toFixed(3).padStart(11),
    ((2 * m * k * n) / product / 1e6).toFixed(1).padStart(7),
    median(times.check).toFixed(3).padStart(8),
    `${(100 * ratio).toFixed(1)} %`.padStart(10),
    `${(100 * best).toFixed(1)} %`.padStart(11),
    median(times.row).toFixed(3).padStart(12)
  ]
  say(`  ${cells.join('  ')}`)
}

function check(tile: ClaimedTile, turn: number): void {
  const verdict = checkTile({ ...tile, seed: Uint8Array.from({ length: 16 }, (_, index) => 1 + turn * 31 + index) })
  if (!verdict.passed) throw new Error(`an honest tile was refused: ${verdict.reason}`)
}

/** @returns ms of one repeat */
async function timed(repeats: number, action: (repeat: number) => unknown): Promise<number> {
  const startedMs = performance.now()
  for (let repeat = 0; repeat < repeats; repeat++) await action(repeat)
  return (performance.now() - startedMs) / repeats
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
