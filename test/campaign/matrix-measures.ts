import { fastKernelId } from '../../src/compute/onnx-runtime.ts'
import { randomMatrix } from '../bench/matrix-data.ts'
import { planOf, startKernel } from '../bench/matrix-ways.ts'
import type { JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'
import { checkFigure, generatePair, submitPair } from './matrix-pairs.ts'
import { cpuMsOf, forgetPeak, peakOf } from './matrix-processes.ts'

const SIZE = 4096
const FLOPS = 2 * SIZE ** 3
const RUNS = 2

/** End to end at 4096 squared over two peers, against the kernel alone; and whether `efficiency` is true. */
export async function measureSpeed(world: SwarmWorld): Promise<void> {
  const pair = await generatePair(world, SIZE, SIZE, SIZE)
  const kernelMs = await kernelAlone()
  console.log(`kernel alone on two threads: ${gigaflops(kernelMs)} GFLOP/s`)
  const studio = await world.join('studio')
  const peers = [studio, await world.joinWith(studio, 'attic'), await world.joinWith(studio, 'laptop')]
  let bestMs = Number.POSITIVE_INFINITY
  for (const [what, args] of [
    ['--local only', ['--local', 'only']],
    ['--local never, two peers', ['--local', 'never', '--min-peers', '2']],
    ['--local auto', ['--local', 'auto', '--min-peers', '2']]
  ] as const) {
    for (let run = 0; run < RUNS; run++) {
      const before = peers.map(cpuMsOf)
      const done = await submitPair(world, pair, `out-${what}-${run}`.replaceAll(/[ ,]/g, ''), args)
      const spent = peers.map((peer, index) => cpuMsOf(peer) - (before[index] ?? 0))
      const { totalMs, computeMs, transferMs, checkMs, efficiency } = done
      console.log(`${what}: ${gigaflops(totalMs)} GFLOP/s in ${totalMs} ms, ${done.chunks} chunks`)
      console.log(`  claimed: compute ${computeMs} ms, transfer ${transferMs} ms, checks ${checkMs} ms of thread time`)
      console.log(`  CPU: ${peers.map(({ name }, index) => `${name} ${spent[index]} ms`).join(', ')}`)
      const cpuMs = spent.reduce((sum, ms) => sum + ms, 0)
      const isTrue = `compute is ${percent(computeMs / cpuMs)} of all CPU time, ${percent(computeMs / totalMs / 2)} of the job's time on two threads`
      console.log(`  efficiency says ${efficiency} %; ${isTrue}`)
      if (what.includes('never')) bestMs = Math.min(bestMs, totalMs)
      if (what.includes('never')) {
        const [, ...workers] = spent
        checkFigure(
          '  claimed compute by workers’ CPU',
          computeMs / workers.reduce((sum, ms) => sum + ms),
          '≤',
          1.05,
          ''
        )
      }
    }
  }
  checkFigure('end to end by the kernel alone, best run', kernelMs / bestMs, '≥', 0.6, '×')
}

/** The quickest of some products with the fast kernel on two threads, in ms. */
async function kernelAlone(): Promise<number> {
  const operands = { size: SIZE, a: randomMatrix(SIZE * SIZE, 1), b: randomMatrix(SIZE * SIZE, 2) }
  const plan = planOf(SIZE, { isExact: false })
  const way = await startKernel({ kernelId: fastKernelId(), plan }, operands, 2)
  try {
    await way.run()
    return Math.min(await way.run(), await way.run(), await way.run())
  } finally {
    await way.close()
  }
}

/** A worker limited to 256 MB takes part at 8192 squared; the submitter stays below 300 MB. */
export async function measureMemory(world: SwarmWorld): Promise<void> {
  const pair = await generatePair(world, 8192, 8192, 8192)
  const studio = await world.join('studio')
  const small = await world.joinWith(studio, 'small', ['--max-memory', '256MB'])
  const free = await world.joinWith(studio, 'free')
  const all: readonly JoinedPeer[] = [studio, small, free]
  for (const peer of all) forgetPeak(peer)
  const done = await submitPair(world, pair, 'out', ['--local', 'never', '--min-peers', '2'])
  console.log(
    `${pair.name}: ${done.totalMs} ms, ${done.peers.map(({ name, chunks }) => `${name} ${chunks}`).join(', ')}`
  )
  const share = done.peers.find(({ name }) => name === 'small')?.chunks ?? 0
  checkFigure('chunks of the worker with 256 MB', share, '≥', 1, '')
  checkFigure('its peak', peakOf(small) / 1e6, '≤', 256, 'MB')
  checkFigure("the submitter's peak", peakOf(studio) / 1e6, '≤', 300, 'MB')
  console.log(`the other worker's peak: ${(peakOf(free) / 1e6).toFixed(0)} MB`)
}

function gigaflops(ms: number): string {
  return (FLOPS / ms / 1e6).toFixed(1)
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
