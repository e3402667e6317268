import { rm } from 'node:fs/promises'
import { CATALOGUE } from '../../src/tasks/wav/effects/catalogue.ts'
import { BLOCK_FRAMES, type PlanResources } from '../../src/tasks/wav/effects/effect.ts'
import { gainToDecibels } from '../../src/tasks/wav/math/exact-math.ts'
import { WavPasses } from '../../src/tasks/wav/wav-passes.ts'
import type { WavPlan } from '../../src/tasks/wav/wav-plan.ts'
import { Random } from '../sim/random.ts'
import type { SwarmWorld } from '../support/swarm-world.ts'
import { WavFrames } from '../support/wav-frames.ts'
import { writeWav } from '../support/wav-writing.ts'
import { checkFigure } from './matrix-pairs.ts'
import { fail } from './run-campaign.ts'
import { planOf, SIX_EFFECTS, submitEffects, writeShow } from './wav-runs.ts'
import type { Sizes } from './wav-sizes.ts'
import { blockOf, type FrameSource, unbroken } from './wav-unbroken-run.ts'

const MINUTES = 3
const APART_MAX_DB = -120
/** Where borders need not be compared with the rest: what float32 rounds away is as large. */
const INAUDIBLE_DB = -140
const WORSE_AT_BORDERS_MAX = 2
const NEAR_BORDER_SECONDS = 1
const IMPULSE = 'room.wav'

/** Several effects together, and each of the catalogue alone with settings that people use. */
const CHAINS: readonly string[] = [
  SIX_EFFECTS,
  'dc-offset, highpass 30, limit -1dBTP, normalize -1dBTP',
  'resample 44100, echo 0.8 0.9 250ms 0.4, reverb 50, fade 2 2',
  'gain -3',
  'invert',
  'dc-offset',
  'dcshift 0.01',
  'normalize -16LUFS',
  'normalize -1dB',
  'compress -18 3',
  'compress -24 8 20ms 1',
  'limit -6',
  'limit -3dBTP',
  'highpass 20',
  'lowpass 8000',
  'bandpass 440 80',
  'notch 50 5',
  'eq 3000 1.2q -4',
  'eq 40 8q 6',
  'bass 6',
  'treble -4',
  'delay 300ms 0',
  'echo 0.8 0.9 500ms 0.6 900ms 0.4',
  'reverb 35',
  'reverb 90 20',
  `convolve ${IMPULSE} -6 0`,
  'fade 5 8',
  'trim 3 60%',
  'pad 1 2.5',
  'reverse',
  'speed 1.1',
  'resample 44100',
  'resample 96000',
  'channels mono',
  'channels mix 0.7:0.3/1:-1'
]

/** Results of segments against one run over the whole file in double precision. */
export async function proveUnbroken(world: SwarmWorld, { minutes = MINUTES, effects }: Sizes): Promise<void> {
  const chains = CHAINS.map((chain) => chain.replace('60%', `${Math.round(minutes * 36)}`))
  for (const { name } of CATALOGUE) {
    if (!chains.some((chain) => chain === name || chain.startsWith(`${name} `))) fail(`no chain has ${name} alone`)
  }
  const input = await writeShow(world, minutes)
  const impulse = await writeRoom(world.path(IMPULSE))
  await world.join('studio')
  for (const [index, chain] of chains.entries()) {
    if (effects?.some((name) => chain.startsWith(name)) === false) continue
    const args = ['--local', 'only', '--format', 'float32']
    const done = await world.done(submitEffects(world, input, { effects: chain, out: `unbroken-${index}`, args }))
    using source = new WavFrames(input)
    using result = new WavFrames(done.outputs.result)
    const reference = unbroken(chain, { shape: source.file.shape, open: (range) => source.open(range) }, impulse)
    report(chain, compare(reference, result, bordersOf(planOf(done))))
    await rm(world.path(`unbroken-${index}`), { recursive: true })
  }
}

/** Half a second of decaying noise. */
async function writeRoom(path: string): Promise<PlanResources['impulse']> {
  const sampleRate = 48_000
  const random = new Random(7)
  const samples = Float64Array.from({ length: sampleRate / 2 }, (_, frame) =>
    Math.fround(0.1 * (2 * random.next() - 1) * Math.exp((-12 * frame) / sampleRate))
  )
  await writeWav(path, { sampleRate, channels: 1, frames: samples.length, encoding: 'f32' }, [[samples]])
  return () => ({ sampleRate, channels: [samples] })
}

/** Output frames that segments begin with, in any pass; the first one's begin is no border. */
function bordersOf(plan: WavPlan): readonly number[] {
  const { passes } = new WavPasses(plan)
  const frames = passes.at(-1)?.shape.frames ?? 0
  const borders = new Set<number>()
  for (const pass of passes) {
    const { output, shape, segmentFrames } = pass
    if (output === undefined || shape.frames !== frames) continue
    for (let border = segmentFrames; border < frames; border += segmentFrames) borders.add(border)
  }
  return [...borders].sort((a, b) => a - b)
}

/** Largest differences of samples, full scale 1. */
interface Apart {
  /** Up to a second behind a border. */
  readonly near: number
  readonly elsewhere: number
  readonly borders: number
  readonly seconds: number
}

function compare(reference: FrameSource, result: WavFrames, borders: readonly number[]): Apart {
  const { shape } = result.file
  for (const field of ['frames', 'channels', 'sampleRate'] as const) {
    if (shape[field] === reference.shape[field]) continue
    throw new Error(`the result has ${field} ${shape[field]}, one run gives ${reference.shape[field]}`)
  }
  const whole = { start: 0, end: shape.frames }
  const [expected, found] = [reference.open(whole), result.open(whole)]
  const [left, right] = [blockOf(shape), blockOf(shape)]
  const nearFrames = NEAR_BORDER_SECONDS * shape.sampleRate
  let [near, elsewhere] = [0, 0]
  let next = 0
  let nearEnd = 0
  for (let frame = 0; frame < shape.frames; ) {
    const border = borders[next] ?? shape.frames
    const isNear = frame < nearEnd
    const stop = Math.min(shape.frames, border > frame ? border : shape.frames, isNear ? nearEnd : shape.frames)
    const count = Math.min(BLOCK_FRAMES, stop - frame)
    expected.read(left, count)
    found.read(right, count)
    const apart = greatestDifference(left, right, count)
    if (isNear) near = Math.max(near, apart)
    else elsewhere = Math.max(elsewhere, apart)
    frame += count
    if (frame !== border) continue
    nearEnd = frame + nearFrames
    next += 1
  }
  return { near, elsewhere, borders: borders.length, seconds: shape.frames / shape.sampleRate }
}

function greatestDifference(left: readonly Float64Array[], right: readonly Float64Array[], count: number): number {
  let most = 0
  for (const [channel, samples] of left.entries()) {
    const others = right[channel] as Float64Array
    for (let frame = 0; frame < count; frame++) {
      const apart = Math.abs((samples[frame] as number) - (others[frame] as number))
      // What is no number is as far off as can be.
      if (!(apart <= most)) most = Number.isNaN(apart) ? Number.POSITIVE_INFINITY : apart
    }
  }
  return most
}

function report(chain: string, { near, elsewhere, borders, seconds }: Apart): void {
  const [nearDb, elsewhereDb] = [gainToDecibels(near), gainToDecibels(elsewhere)]
  console.log(
    `${chain}: ${seconds.toFixed(1)} s with ${borders} borders; dBFS apart behind borders ${nearDb.toFixed(1)}, ` +
      `elsewhere ${elsewhereDb.toFixed(1)}`
  )
  checkFigure('  apart everywhere', Math.max(nearDb, elsewhereDb), '≤', APART_MAX_DB, 'dBFS')
  if (Math.max(nearDb, elsewhereDb) < INAUDIBLE_DB) return
  checkFigure('  behind borders by elsewhere', near / elsewhere, '≤', WORSE_AT_BORDERS_MAX, '×')
}
