import { effectUnsuitable } from '../chain/chain-error.ts'
import { textSetting } from '../chain/settings.ts'
import { framesOf } from '../chain/times.ts'
import { BLOCK_FRAMES, type EffectKind, type FrameStream } from './effect.ts'
import { FADE_CURVES, type FadeCurve, fadeGain } from './fade-curve.ts'

/** Longest fade, in seconds: a day. */
const FADE_SECONDS_MAX = 86_400

/** Fades both ends. SoX takes the place where the fade-out stops; this takes the fade-out's length, and it stops at the end. */
export const fade: EffectKind = {
  name: 'fade',
  summary: 'Fades in at the beginning and out at the end.',
  parameters: [
    { name: 'in', summary: 'length of the fade-in', kind: 'time', min: 0, max: FADE_SECONDS_MAX },
    { name: 'out', summary: 'length of the fade-out', kind: 'time', min: 0, max: FADE_SECONDS_MAX, fallback: 0 },
    { name: 'curve', summary: 'shape of both', kind: 'choice', choices: FADE_CURVES, fallback: 'log' }
  ],
  plan(settings, input) {
    const curve = curveOf(textSetting(settings, 'curve'))
    const inFrames = framesOf(settings.in, input.sampleRate)
    const outFrames = framesOf(settings.out, input.sampleRate)
    if (inFrames + outFrames > input.frames) {
      const got = `${(inFrames + outFrames) / input.sampleRate} s`
      const expected = `expected both fades within the audio's ${input.frames / input.sampleRate} s`
      throw effectUnsuitable('fade', `${expected}, but got ${got} together; make them shorter`)
    }
    const fades: Fades = { curve, inFrames, outFrames, frames: input.frames }
    return {
      output: input,
      inputRange: (range) => range,
      open: (range, source) => new FadedStream(source, fades, range.start)
    }
  }
}

interface Fades {
  readonly curve: FadeCurve
  readonly inFrames: number
  readonly outFrames: number
  /** Of the whole audio. */
  readonly frames: number
}

/** Owns the place in the audio; gains follow from it alone. */
class FadedStream implements FrameStream {
  readonly channels: number
  readonly #input: FrameStream
  readonly #fades: Fades
  readonly #gains = new Float64Array(BLOCK_FRAMES)
  #frame: number

  constructor(input: FrameStream, fades: Fades, start: number) {
    this.channels = input.channels
    this.#input = input
    this.#fades = fades
    this.#frame = start
  }

  read(out: readonly Float64Array[], count: number): void {
    this.#input.read(out, count)
    const start = this.#frame
    const { inFrames, outFrames, frames } = this.#fades
    this.#frame = start + count
    if (start >= inFrames && this.#frame <= frames - outFrames) return
    fillGains(this.#gains, count, this.#fades, start)
    for (const samples of out) multiply(samples, this.#gains, count)
  }
}

function fillGains(
  gains: Float64Array,
  count: number,
  { curve, inFrames, outFrames, frames }: Fades,
  start: number
): void {
  for (let index = 0; index < count; index++) {
    const frame = start + index
    if (frame < inFrames) gains[index] = fadeGain(curve, frame / inFrames)
    else if (frame >= frames - outFrames) gains[index] = fadeGain(curve, (frames - frame) / outFrames)
    else gains[index] = 1
  }
}

function multiply(samples: Float64Array, gains: Float64Array, count: number): void {
  for (let index = 0; index < count; index++) samples[index] = (samples[index] as number) * (gains[index] as number)
}

function curveOf(word: string): FadeCurve {
  const curve = FADE_CURVES.find((candidate) => candidate === word)
  if (curve !== undefined) return curve
  throw effectUnsuitable('fade', `expected one of ${FADE_CURVES.join(', ')}, but got ${word}`)
}
