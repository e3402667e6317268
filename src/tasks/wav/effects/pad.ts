import type { FrameRange } from '../audio-format.ts'
import { framesOf } from '../chain/times.ts'
import type { EffectKind, FrameStream } from './effect.ts'

/** Longest silence that is added at one end, in seconds: a day. */
const PAD_SECONDS_MAX = 86_400

/** Adds silence at both ends. */
export const pad: EffectKind = {
  name: 'pad',
  summary: 'Adds silence before and behind.',
  parameters: [
    { name: 'before', summary: 'silence before', kind: 'time', min: 0, max: PAD_SECONDS_MAX },
    { name: 'after', summary: 'silence behind', kind: 'time', min: 0, max: PAD_SECONDS_MAX, fallback: 0 }
  ],
  plan(settings, input) {
    const before = framesOf(settings.before, input.sampleRate)
    const after = framesOf(settings.after, input.sampleRate)
    const within = (frame: number): number => Math.min(input.frames, Math.max(0, frame - before))
    const inputRange = ({ start, end }: FrameRange): FrameRange => ({ start: within(start), end: within(end) })
    return {
      output: { ...input, frames: before + input.frames + after },
      inputRange,
      open(range, source) {
        const wanted = inputRange(range)
        const silence = Math.min(range.end, before) - range.start
        return new PaddedStream(source, Math.max(0, silence), wanted.end - wanted.start)
      }
    }
  }
}

/** Owns how much silence and sound is still to come: silence, then sound, then silence without end. */
class PaddedStream implements FrameStream {
  readonly channels: number
  readonly #input: FrameStream
  #silence: number
  #sound: number

  constructor(input: FrameStream, silence: number, sound: number) {
    this.channels = input.channels
    this.#input = input
    this.#silence = silence
    this.#sound = sound
  }

  read(out: readonly Float64Array[], count: number): void {
    const silence = Math.min(count, this.#silence)
    const sound = Math.min(count - silence, this.#sound)
    if (sound > 0) this.#input.read(out, sound)
    for (const samples of out) {
      if (silence > 0) samples.copyWithin(silence, 0, sound).fill(0, 0, silence)
      samples.fill(0, silence + sound, count)
    }
    this.#silence -= silence
    this.#sound -= sound
  }
}
