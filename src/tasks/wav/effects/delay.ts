import type { AudioShape } from '../audio-format.ts'
import { effectUnsuitable } from '../chain/chain-error.ts'
import { framesOf } from '../chain/times.ts'
import { type CarryingKernel, carried } from './carried-stream.ts'
import { DelayLine } from './delay-line.ts'
import type { EffectKind, Parameter, PlannedEffect, Settings } from './effect.ts'

/** Longest delay, in seconds. */
const SECONDS_MAX = 60
/** Samples that the delays of all channels may hold together: 128 MiB. */
const HELD_SAMPLES_MAX = 1 << 24
const TIMES_MAX = 8

/** Delays each channel by a time of its own, and so lengthens the audio by the longest. @see SoX's `delay` */
export const delay: EffectKind = {
  name: 'delay',
  summary: 'delays channels, each by its own time; channels without one are not delayed',
  parameters: Array.from({ length: TIMES_MAX }, (_, index) => timeParameter(index + 1)),
  plan(settings, input) {
    const delays = delaysOf(settings, input)
    const longest = Math.max(...delays)
    return {
      output: { ...input, frames: input.frames + longest },
      ...carried(input, { before: longest }, () => new DelayKernel(delays))
    } satisfies PlannedEffect
  }
}

class DelayKernel implements CarryingKernel {
  readonly inputChannels: number
  readonly channels: number
  readonly #lines: readonly DelayLine[]

  constructor(delays: readonly number[]) {
    this.inputChannels = delays.length
    this.channels = delays.length
    this.#lines = delays.map((frames) => new DelayLine(frames))
  }

  advance(input: readonly Float64Array[], output: readonly Float64Array[], at: number, count: number): void {
    for (const [channel, line] of this.#lines.entries()) {
      line.exchange(input[channel] as Float64Array, output[channel] as Float64Array, at, count)
    }
  }

  settle(): void {
    // Nothing decays: samples leave as they came.
  }
}

function timeParameter(channel: number): Parameter {
  const summary = `delay of channel ${channel}`
  const base = { name: `time${channel}`, summary, kind: 'time', min: 0, max: SECONDS_MAX } as const
  return channel === 1 ? base : { ...base, optional: true }
}

function delaysOf(settings: Settings, { channels, sampleRate }: AudioShape): readonly number[] {
  const delays = new Array<number>(channels).fill(0)
  for (let channel = 1; channel <= TIMES_MAX; channel++) {
    const setting = settings[`time${channel}`]
    if (setting === undefined) continue
    if (channel > channels) {
      throw effectUnsuitable('delay', `expected at most ${channels} times, one a channel, but time${channel} is given`)
    }
    const frames = framesOf(setting, sampleRate)
    if (!(frames >= 0 && frames <= SECONDS_MAX * sampleRate)) {
      throw effectUnsuitable('delay', `expected times up to ${SECONDS_MAX} s, but time${channel} is ${setting}`)
    }
    delays[channel - 1] = frames
  }
  const held = delays.reduce((sum, frames) => sum + frames, 0)
  if (held > HELD_SAMPLES_MAX) {
    const problem = `expected delays of ${HELD_SAMPLES_MAX} samples over all channels at most, but got ${held}`
    throw effectUnsuitable('delay', `${problem}; delay channels by less`)
  }
  return delays
}
