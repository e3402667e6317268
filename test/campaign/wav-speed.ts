import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { promisify } from 'node:util'
import { median } from '../bench/figures.ts'
import { SOX } from '../support/audio-tools.ts'
import type { JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'
import { checkFigure } from './matrix-pairs.ts'
import { cpuMsOf } from './matrix-processes.ts'
import { NEVER, SIX_EFFECTS, submitEffects, writeShow } from './wav-runs.ts'
import type { Sizes } from './wav-sizes.ts'

const MINUTES = 10
/** What SoX has that is nearest to {@link SIX_EFFECTS}; it knows no loudness. */
const SOX_EFFECTS = 'highpass 80 equalizer 3000 1.2q -4 compand 0.005,0.1 -18,-18,0,-12 bass 2 reverb 35 gain -n -1'
const BY_SOX_MIN = 1
const TWO_BY_ONE_MIN = 1.6

/** A way from file to file, and how long each of its runs took, in ms. */
interface Way {
  readonly name: string
  readonly times: number[]
  run(): Promise<void>
}

/** One thread against SoX, and two peers against one; in turns, so that what else the machine does meets all of them. */
export async function measureSpeed(world: SwarmWorld, { minutes = MINUTES, rounds }: Sizes): Promise<void> {
  const input = await writeShow(world, minutes)
  // Each swarm has as many workers as its way needs.
  const studio = await world.join('studio', ['--threads', '1'])
  const attic = await world.joinWith(studio, 'attic')
  const desk = await world.join('desk', ['--threads', '1'])
  const pair = [await world.joinWith(desk, 'cellar'), await world.joinWith(desk, 'laptop')]
  const job = (name: string, home: string, args: readonly string[], peers: readonly JoinedPeer[]): Way => ({
    name,
    times: [],
    run: () => runJob(world, input, { name, home, args, peers })
  })
  const alone = job('--local only, one thread', 'studio', ['--local', 'only'], [studio])
  const one = job('one peer of one thread', 'studio', [...NEVER, '--min-peers', '1'], [studio, attic])
  const two = job('two peers of one thread', 'desk', [...NEVER, '--min-peers', '2'], [desk, ...pair])
  const sox: Way = { name: 'sox', times: [], run: () => runSox(input, world.path('sox.wav')) }
  if (SOX === undefined) console.log('skipped: sox is not installed, so nothing is compared with it')
  const ways = [alone, ...(SOX === undefined ? [] : [sox]), one, two]
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      const startedMs = performance.now()
      await way.run()
      way.times.push(performance.now() - startedMs)
    }
  }
  for (const { name, times } of ways) {
    const speeds = times.map((ms) => ((minutes * 60_000) / ms).toFixed(1))
    const medianMs = median(times)
    const speed = ((minutes * 60_000) / medianMs).toFixed(1)
    console.log(`${name}: ${speed} × real time, ${(medianMs / 1_000).toFixed(2)} s; rounds ${speeds.join(', ')}`)
  }
  if (SOX !== undefined) checkFigure('one thread by SoX', median(sox.times) / median(alone.times), '≥', BY_SOX_MIN, '×')
  checkFigure('two peers by one', median(one.times) / median(two.times), '≥', TWO_BY_ONE_MIN, '×')
  console.log(`two peers by --local only on one thread: ${(median(alone.times) / median(two.times)).toFixed(2)} ×`)
}

interface SpeedJob {
  readonly name: string
  readonly home: string
  readonly args: readonly string[]
  readonly peers: readonly JoinedPeer[]
}

/** From the command's start to its end; says what each process's CPU did. */
async function runJob(world: SwarmWorld, input: string, { name, home, args, peers }: SpeedJob): Promise<void> {
  const before = peers.map(cpuMsOf)
  const done = await world.done(submitEffects(world, input, { home, effects: SIX_EFFECTS, out: 'speed', args }))
  const spent = peers.map((peer, index) => `${peer.name} ${cpuMsOf(peer) - (before[index] ?? 0)} ms`)
  console.log(
    `  ${name}: job ${done.totalMs} ms, ${done.chunks} chunks, kernels ${done.computeMs.toFixed(0)} ms; CPU ${spent.join(', ')}`
  )
  await rm(world.path('speed'), { recursive: true })
}

async function runSox(input: string, output: string): Promise<void> {
  if (SOX === undefined) throw new Error('sox is not installed')
  await promisify(execFile)(SOX, [input, output, ...SOX_EFFECTS.split(' ')])
  await rm(output)
}
