import type { FrameRange } from '../audio-format.ts'
import { effectUnsuitable } from '../chain/chain-error.ts'
import { framesOf } from '../chain/times.ts'
import type { EffectKind } from './effect.ts'

/** Longest time that a chain can name, in seconds: a week. */
const TIME_SECONDS_MAX = 604_800

/** Keeps a part; frames are counted from the rounded start. */
export const trim: EffectKind = {
  name: 'trim',
  summary: 'Keeps a part and drops what is before and behind it.',
  parameters: [
    { name: 'start', summary: 'where the part begins', kind: 'time', min: 0, max: TIME_SECONDS_MAX },
    {
      name: 'length',
      summary: 'how long the part is; up to the end without it',
      kind: 'time',
      min: 0,
      max: TIME_SECONDS_MAX,
      optional: true
    }
  ],
  plan(settings, input) {
    const start = framesOf(settings.start, input.sampleRate)
    if (start > input.frames) {
      const expected = `expected a start within the audio's ${input.frames / input.sampleRate} s`
      throw effectUnsuitable('trim', `${expected}, but got ${settings.start}`)
    }
    const rest = input.frames - start
    const frames = settings.length === undefined ? rest : Math.min(rest, framesOf(settings.length, input.sampleRate))
    return {
      output: { ...input, frames },
      inputRange: (range: FrameRange) => ({ start: range.start + start, end: range.end + start }),
      open: (_range, source) => source
    }
  }
}
