import type { FrameRange } from '../../../../src/tasks/wav/audio-format.ts'
import { readSetting } from '../../../../src/tasks/wav/chain/read-setting.ts'
import {
  BLOCK_FRAMES,
  type EffectKind,
  type PlannedEffect,
  type PlanResources,
  type SignalSummary
} from '../../../../src/tasks/wav/effects/effect.ts'
import { type Signal, SignalStream, shapeOf } from './chain-runs.ts'

/** Plans one effect with words as a chain has them, name=value or in order. @throws Error when a word is not read */
export function planWords(
  kind: EffectKind,
  words: string,
  signal: Signal,
  resources: PlanResources = {}
): PlannedEffect {
  const settings: Record<string, number | string | undefined> = {}
  for (const { name, fallback } of kind.parameters) settings[name] = fallback
  for (const [index, word] of words.split(' ').filter(Boolean).entries()) {
    const [name, value] = word.includes('=') ? word.split('=') : [kind.parameters[index]?.name, word]
    const parameter = kind.parameters.find((candidate) => candidate.name === name)
    const setting = parameter === undefined ? undefined : readSetting(parameter, value ?? '')
    if (name === undefined || setting === undefined) throw new Error(`${kind.name} does not take ${word}`)
    settings[name] = setting
  }
  return kind.plan(settings, shapeOf(signal), resources)
}

/** Frames of a range of an effect's output, read in blocks of the given sizes in turn. */
export function runPlanned(
  plan: PlannedEffect,
  signal: Signal,
  range: FrameRange = { start: 0, end: plan.output.frames },
  sizes: readonly number[] = [BLOCK_FRAMES]
): Float64Array[] {
  const { channels } = plan.output
  const frames = range.end - range.start
  const result = Array.from({ length: channels }, () => new Float64Array(frames))
  const stream = plan.open(range, new SignalStream(signal.samples, plan.inputRange(range)))
  const block = Array.from({ length: channels }, () => new Float64Array(BLOCK_FRAMES))
  for (let done = 0, turn = 0; done < frames; turn++) {
    const count = Math.min(sizes[turn % sizes.length] ?? 1, frames - done)
    stream.read(block, count)
    for (const [channel, samples] of block.entries()) result[channel]?.set(samples.subarray(0, count), done)
    done += count
  }
  return result
}

/** The whole output of one effect. */
export function runWords(
  kind: EffectKind,
  words: string,
  signal: Signal,
  resources: PlanResources = {}
): Float64Array[] {
  return runPlanned(planWords(kind, words, signal, resources), signal)
}

/** What a measuring pass says of a signal, true peaks as sample peaks. */
export function summaryOf({ samples }: Signal, loudness = -23): SignalSummary {
  const peaks = samples.map((values) => values.reduce((peak, value) => Math.max(peak, Math.abs(value)), 0))
  const dcOffsets = samples.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length)
  return { peaks, truePeaks: peaks, dcOffsets, loudness }
}

/** Loud noise with a mean, then silence from a frame on. */
export function loudThenSilent(samples: readonly Float64Array[], from: number): Float64Array[] {
  return samples.map((values) => values.map((value, index) => (index < from ? Math.max(-1, Math.min(1, value)) : 0)))
}
