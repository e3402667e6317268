// `node test/bench/matrix-kernels.ts [--size 2048] [--rounds 9] [--threads 1,2]`: the matrix kernels against NumPy with OpenBLAS on the
// same data and as many threads, in alternating rounds of one run. The kernels work as in a job: tile by tile, from operands in
// blocks. Prints GFLOP/s and ratios. Needs python3 with NumPy.
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fastKernelId } from '../../src/compute/onnx-runtime.ts'
import { EXACT_KERNEL_ID } from '../../src/tasks/matrix/exact-kernel.ts'
import { median } from './figures.ts'
import { checkProduct, randomMatrix } from './matrix-data.ts'
import { saveOperands, startNumpy } from './matrix-numpy.ts'
import { type KernelWay, type Operands, planOf, startKernel } from './matrix-ways.ts'
import { formatChecks } from './report.ts'
import { StartedProcesses } from './started-processes.ts'
import type { Check } from './targets.ts'

const SLICE_ROWS = 64
const FAST_MIN = 0.9
const EXACT_MIN = 0.22
/** OpenBLAS's threads wait busily for some ten ms after a product; nobody is timed while they do. */
const SETTLE_MS = 150

/** A way and what it took in each round. */
interface Measured {
  readonly name: string
  /** The NumPy that it is compared with. */
  readonly yardstick: string
  readonly way: KernelWay
  readonly times: number[]
}

const { size, rounds, threadCounts } = readOptions()
const processes = new StartedProcesses()
const folder = await mkdtemp(join(tmpdir(), 'swarm-matrix-'))
const ways: KernelWay[] = []
try {
  await bench()
} finally {
  await Promise.all(ways.map((way) => way.close()))
  await processes.close()
  await rm(folder, { recursive: true, force: true })
}

async function bench(): Promise<void> {
  const load = loadavg().map((value) => value.toFixed(2))
  say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}, load ${load.join(' ')}`)
  say(`${fastKernelId()}, ${EXACT_KERNEL_ID}, ${size} squared, ${rounds} rounds`)
  const operands: Operands = { size, a: randomMatrix(size * size, 1), b: randomMatrix(size * size, 2) }
  const all = await startAll(operands)
  for (const { name, way } of all) {
    await way.run()
    checkProduct(name, await way.result(), operands.a, operands.b, size)
  }
  for (let round = 0; round < rounds; round++) {
    for (const { times, way } of all) {
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
      times.push(await way.run())
    }
  }
  report(all)
}

async function startAll(operands: Operands): Promise<readonly Measured[]> {
  const all: Measured[] = []
  await saveOperands(folder, operands)
  for (const threads of threadCounts) {
    const add = (name: string, yardstick: string, way: KernelWay): void => {
      ways.push(way)
      all.push({ name: `${name} on ${threads}`, yardstick: yardstick && `${yardstick} on ${threads}`, way, times: [] })
    }
    const numpy = await startNumpy(processes, folder, size, threads)
    if (numpy === undefined) say(`no NumPy (it needs python3 with the package numpy): left out on ${threads}`)
    else {
      add('numpy', '', numpy.way(size))
      add(`numpy, ${SLICE_ROWS} rows`, '', numpy.way(SLICE_ROWS))
    }
    const kernel = (kernelId: string, tileRows?: number) => {
      const cut = { isExact: kernelId === EXACT_KERNEL_ID, ...(tileRows === undefined ? {} : { tileRows }) }
      return startKernel({ kernelId, plan: planOf(size, cut) }, operands, threads)
    }
    add('fast', 'numpy', await kernel(fastKernelId()))
    add(`fast, ${SLICE_ROWS} rows`, `numpy, ${SLICE_ROWS} rows`, await kernel(fastKernelId(), SLICE_ROWS))
    add('exact', 'numpy', await kernel(EXACT_KERNEL_ID))
  }
  return all
}

function report(all: readonly Measured[]): void {
  const width = Math.max(...all.map(({ name }) => name.length))
  say(`\n  ${'GFLOP/s'.padEnd(width)}  median    best   worst   × NumPy  of the best  of the medians`)
  const checks: Check[] = []
  for (const measured of all) {
    const speeds = measured.times.map(speedOf)
    const yardstick = all.find(({ name }) => name === measured.yardstick)
    const cells = [median(speeds), Math.max(...speeds), Math.min(...speeds)].map((speed) =>
      speed.toFixed(1).padStart(6)
    )
    say(
      `  ${measured.name.padEnd(width)}  ${cells.join('  ')}  ${yardstick ? ratiosOf(yardstick, measured) : ''}`.trimEnd()
    )
    if (yardstick !== undefined) checks.push(checkOf(yardstick, measured))
  }
  if (checks.length > 0) say(formatChecks(checks))
}

function ratiosOf(yardstick: Measured, measured: Measured): string {
  const { figure, best } = ratio(yardstick, measured)
  const ofMedians = median(yardstick.times) / median(measured.times)
  return [figure.toFixed(3).padStart(7), best.toFixed(3).padStart(11), ofMedians.toFixed(3).padStart(14)].join('  ')
}

function checkOf(yardstick: Measured, measured: Measured): Check {
  const target = measured.name.startsWith('fast') ? FAST_MIN : EXACT_MIN
  const what = `${measured.name}: speed by that of NumPy`
  return { what, ...ratio(yardstick, measured), target, unit: '×', bound: 'min' }
}

/**
 * The median of the ratios within each round, and the ratio of the best runs. Others' load on the machine comes and goes
 * in seconds, so that neighbours in a round are nearer to each other than medians over all rounds.
 */
function ratio(yardstick: Measured, measured: Measured): { figure: number; best: number } {
  const rounds = measured.times.map((ms, round) => (yardstick.times[round] ?? Number.NaN) / ms)
  return { figure: median(rounds), best: Math.min(...yardstick.times) / Math.min(...measured.times) }
}

function speedOf(ms: number): number {
  return (2 * size ** 3) / ms / 1e6
}

function readOptions(): { size: number; rounds: number; threadCounts: readonly number[] } {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '2048' },
      rounds: { type: 'string', default: '9' },
      threads: { type: 'string', default: '1,2' }
    }
  })
  const whole = (name: string, text: string, min: number): number => {
    const value = Number(text)
    if (Number.isInteger(value) && value >= min) return value
    throw new Error(`--${name} takes a whole number from ${min}, not ${text}`)
  }
  return {
    size: whole('size', values.size, SLICE_ROWS),
    rounds: whole('rounds', values.rounds, 1),
    threadCounts: values.threads.split(',').map((threads) => whole('threads', threads, 1))
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
