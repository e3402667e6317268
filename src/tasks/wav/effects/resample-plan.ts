import type { AudioShape, FrameRange } from '../audio-format.ts'
import type { PlannedEffect } from './effect.ts'
import { placeOf, type ResampleRatio, resampledFrames } from './resample-ratio.ts'
import { ResampleStream } from './resample-stream.ts'
import { planResampleTaps, type ResampleTaps, tapsLength } from './resample-taps.ts'

/**
 * Plans a change of the number of frames: output frame n is the input's band-limited signal at frame n · down / up.
 *
 * The filter has linear phase and no delay; it passes up to 0.9 of the lower half rate within 1e-6, and stops from that half
 * rate on by 120 dB. It is finite, so a range gives the whole run's bits.
 * @param sampleRate that the output is to be played at, in Hz
 */
export function planResampling(input: AudioShape, ratio: ResampleRatio, sampleRate: number): PlannedEffect {
  const output = { ...input, sampleRate, frames: resampledFrames(ratio, input.frames) }
  if (ratio.up === ratio.down) return { output, inputRange: (range) => range, open: (_range, source) => source }
  let taps: ResampleTaps | undefined
  const halfLength = tapsLength(ratio) / 2
  const inputRange = ({ start, end }: FrameRange): FrameRange => {
    const first = placeOf(ratio, start).frame - halfLength + 1
    const from = Math.min(input.frames, Math.max(0, first))
    if (start >= end) return { start: from, end: from }
    return { start: from, end: Math.max(from, Math.min(input.frames, placeOf(ratio, end - 1).frame + halfLength + 1)) }
  }
  return {
    output,
    inputRange,
    open(range, source) {
      taps ??= planResampleTaps(ratio)
      return new ResampleStream(taps, ratio, range, source, inputRange(range))
    }
  }
}
