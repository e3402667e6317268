import type { AudioShape } from '../audio-format.ts'
import { effectUnsuitable } from '../chain/chain-error.ts'
import { numberSetting } from '../chain/settings.ts'
import { framesOf } from '../chain/times.ts'
import { type CarryingKernel, carried } from './carried-stream.ts'
import { BLOCK_FRAMES, type EffectKind, type Parameter, type PlannedEffect, type Settings } from './effect.ts'

/** Longest delay, in seconds. */
const SECONDS_MAX = 10
/** Samples that the history of all channels may hold together: 128 MiB. */
const HELD_SAMPLES_MAX = 1 << 24
const ECHOES_MAX = 7

/**
 * Adds copies of the audio that come later and fainter: out[n] = gain-out · (gain-in · in[n] + Σ decay · in[n − delay]).
 * Its delays are times, in seconds when they have no unit, where SoX's are always milliseconds: `echo 0.8 0.9 60ms 0.4`.
 * @see SoX's `echo`
 */
export const echo: EffectKind = {
  name: 'echo',
  summary: 'adds one to seven later and fainter copies; delays are seconds unless ms is written',
  parameters: echoParameters(),
  plan(settings, input) {
    const taps = tapsOf(settings, input)
    const longest = Math.max(...taps.map(({ frames }) => frames))
    const gains = { in: numberSetting(settings, 'gain-in'), out: numberSetting(settings, 'gain-out') }
    return {
      output: { ...input, frames: input.frames + longest },
      ...carried(input, { before: longest }, () => new EchoKernel(input.channels, gains, taps, longest))
    } satisfies PlannedEffect
  }
}

interface Tap {
  readonly frames: number
  readonly decay: number
}

class EchoKernel implements CarryingKernel {
  readonly inputChannels: number
  readonly channels: number
  readonly #gains: { readonly in: number; readonly out: number }
  readonly #taps: readonly Tap[]
  readonly #longest: number
  /** [channels][longest delay and room to go on]: the past of each channel, up to `#end`. */
  readonly #histories: readonly Float64Array[]
  #end: number

  constructor(channels: number, gains: { in: number; out: number }, taps: readonly Tap[], longest: number) {
    this.inputChannels = channels
    this.channels = channels
    this.#gains = gains
    this.#taps = taps
    this.#longest = longest
    const room = Math.max(longest >> 2, 4 * BLOCK_FRAMES)
    this.#histories = Array.from({ length: channels }, () => new Float64Array(longest + room))
    this.#end = longest
  }

  advance(input: readonly Float64Array[], output: readonly Float64Array[], at: number, count: number): void {
    this.#makeRoom(count)
    const end = this.#end
    for (let channel = 0; channel < this.channels; channel++) {
      const history = this.#histories[channel] as Float64Array
      const out = output[channel] as Float64Array
      addTo(history, end, input[channel] as Float64Array, count)
      scaled(history, end, this.#gains.in * this.#gains.out, out, at, count)
      for (const { frames, decay } of this.#taps) {
        addScaled(history, end - frames, decay * this.#gains.out, out, at, count)
      }
    }
    this.#end = end + count
  }

  settle(): void {
    // Nothing decays: samples leave the history as they came.
  }

  #makeRoom(count: number): void {
    const [first] = this.#histories
    if (first === undefined || this.#end + count <= first.length) return
    for (const history of this.#histories) history.copyWithin(0, this.#end - this.#longest, this.#end)
    this.#end = this.#longest
  }
}

function addTo(history: Float64Array, end: number, samples: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) history[end + i] = samples[i] as number
}

function scaled(from: Float64Array, start: number, gain: number, out: Float64Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) out[at + i] = (from[start + i] as number) * gain
}

function addScaled(
  from: Float64Array,
  start: number,
  gain: number,
  out: Float64Array,
  at: number,
  count: number
): void {
  for (let i = 0; i < count; i++) out[at + i] = (out[at + i] as number) + (from[start + i] as number) * gain
}

function echoParameters(): readonly Parameter[] {
  const parameters: Parameter[] = [
    { name: 'gain-in', summary: 'factor of the audio itself', kind: 'number', min: 0, max: 1 },
    { name: 'gain-out', summary: 'factor of the sum', kind: 'number', min: 0, max: 10 }
  ]
  for (let index = 1; index <= ECHOES_MAX; index++) {
    const optional = index === 1 ? {} : { optional: true }
    const delay = { name: `delay${index}`, summary: `how much later echo ${index} is`, kind: 'time' } as const
    const decay = { name: `decay${index}`, summary: `factor of echo ${index}`, kind: 'number' } as const
    parameters.push({ ...delay, min: 0, max: SECONDS_MAX, ...optional })
    parameters.push({ ...decay, min: 0, max: 1, ...optional })
  }
  return parameters
}

function tapsOf(settings: Settings, { sampleRate, channels }: AudioShape): readonly Tap[] {
  const taps: Tap[] = []
  for (let index = 1; index <= ECHOES_MAX; index++) {
    const delay = settings[`delay${index}`]
    const decay = settings[`decay${index}`]
    if (delay === undefined && decay === undefined) continue
    if (delay === undefined || decay === undefined) {
      const [given, missing] = delay === undefined ? ['decay', 'delay'] : ['delay', 'decay']
      throw effectUnsuitable('echo', `expected ${missing}${index} beside ${given}${index}, but it is missing; add it`)
    }
    const frames = framesOf(delay, sampleRate)
    if (!(frames > 0 && frames <= SECONDS_MAX * sampleRate)) {
      const problem = `expected delay${index} of 1 sample to ${SECONDS_MAX} s, but it is ${delay}`
      throw effectUnsuitable('echo', `${problem}; milliseconds are written as in 60ms`)
    }
    if (frames * channels > HELD_SAMPLES_MAX) {
      const problem = `expected delays of ${HELD_SAMPLES_MAX} samples over all channels at most`
      throw effectUnsuitable('echo', `${problem}, but delay${index} needs ${frames * channels}; shorten it`)
    }
    taps.push({ frames, decay: numberSetting(settings, `decay${index}`) })
  }
  return taps
}
