import type { FrameRange } from '../../../../src/tasks/wav/audio-format.ts'
import { type MeasureLayout, planMeasure } from '../../../../src/tasks/wav/measure/measure-layout.ts'
import { RangeMeasure } from '../../../../src/tasks/wav/measure/range-measure.ts'
import { type Measures, reduceMeasures } from '../../../../src/tasks/wav/measure/reduce-measures.ts'
import { type Signal, shapeOf } from '../effects/chain-runs.ts'

/** Measures of one range of a signal, fed in blocks of the given sizes in turn. */
export function measureRange(
  layout: MeasureLayout,
  signal: Signal,
  range: FrameRange,
  sizes: readonly number[] = [1024]
): Uint8Array {
  const measure = new RangeMeasure(layout, range)
  const block = signal.samples.map(() => new Float64Array(Math.max(...sizes)))
  for (let frame = measure.firstFrame, turn = 0; frame < range.end; turn++) {
    const count = Math.min(sizes[turn % sizes.length] ?? 1, range.end - frame)
    for (const [channel, samples] of signal.samples.entries())
      block[channel]?.set(samples.subarray(frame, frame + count))
    measure.feed(block, count)
    frame += count
  }
  return measure.finish()
}

/** Measures of a signal in one range, or in ranges that begin at the given hops. */
export function measure(signal: Signal, hops: readonly number[] = []): Measures {
  const layout = planMeasure(shapeOf(signal))
  const { frames } = layout.shape
  const inner = hops
    .map((hop) => Math.min(Math.floor(frames / layout.hopFrames), hop) * layout.hopFrames)
    .sort((one, other) => one - other)
  let start = 0
  const parts = [...inner, frames].map((end) => {
    const range = { start, end }
    start = end
    return { range, bytes: measureRange(layout, signal, range) }
  })
  return reduceMeasures(layout, parts)
}

/**
 * A sine in every channel, faded over 10 ms at both ends: a cut would have true peaks of its own.
 * @param level in dBFS
 */
export function sine(sampleRate: number, seconds: number, frequency: number, level: number, channels = 2): Signal {
  const frames = Math.round(sampleRate * seconds)
  const gain = 10 ** (level / 20)
  const samples = Float64Array.from({ length: frames }, (_, n) => {
    const fade = Math.min(1, (Math.min(n, frames - 1 - n) * 100) / sampleRate)
    return gain * fade * Math.sin((2 * Math.PI * frequency * n) / sampleRate)
  })
  return { sampleRate, samples: Array.from({ length: channels }, () => samples) }
}

/** Signals one behind the other; of the same rate and channels. */
export function inTurn(...signals: readonly Signal[]): Signal {
  const [first = { sampleRate: 48_000, samples: [] }] = signals
  const samples = first.samples.map((_, channel) => {
    return Float64Array.from(signals.flatMap((signal) => [...(signal.samples[channel] ?? [])]))
  })
  return { sampleRate: first.sampleRate, samples }
}
