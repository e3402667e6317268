import { EXIT_CODES, SwarmError } from '../../../errors.ts'
import type { AudioShape, FrameRange } from '../audio-format.ts'
import { BLOCK_FRAMES, type FrameStream, type PlannedEffect, type PlanResources } from '../effects/effect.ts'
import type { Chain, ChainEffect } from './chain.ts'
import { effectUnsuitable } from './chain-error.ts'
import { expectedOf } from './describe-effects.ts'
import { isWithin } from './read-setting.ts'
import { secondsOf } from './times.ts'

/** A chain of effects that knows its input's shape; like {@link PlannedEffect}, it holds no state of a signal. */
export interface PlannedChain {
  readonly output: AudioShape
  /**
   * Input frames that a range in the middle of the output needs beyond its own share, pre-roll and look-ahead of all effects
   * together: what a segment costs above its length.
   */
  readonly preRollFrames: number
  /** Input frames that a stream of an output range reads. */
  inputRange(range: FrameRange): FrameRange
  /** Streams an output range; `source` is asked once, for {@link PlannedChain.inputRange}. */
  open(range: FrameRange, source: (range: FrameRange) => FrameStream): FrameStream
}

/**
 * Plans one pass of a chain for audio of a shape. The same range gives the same bits whatever is read at once.
 *
 * @throws SwarmError EFFECT_UNSUITABLE when an effect's settings do not fit the audio
 * @throws SwarmError CHAIN_UNMEASURED when an effect that measures is not the first, or has no measurement
 * @see splitPasses
 */
export function planChain(effects: Chain, input: AudioShape, resources: PlanResources): PlannedChain {
  const planned: PlannedEffect[] = []
  let output = input
  for (const [index, effect] of effects.entries()) {
    checkMeasured(effect, index, resources)
    checkTimes(effect, output.sampleRate)
    const plan = effect.kind.plan(effect.settings, output, resources)
    planned.push(plan)
    output = plan.output
  }
  const inputRange = (range: FrameRange): FrameRange =>
    planned.reduceRight((wanted, effect) => effect.inputRange(wanted), range)
  return {
    output,
    preRollFrames: preRollOf(output.frames, inputRange),
    inputRange,
    open: (range, source) => openFrom(planned, planned.length, range, source)
  }
}

function openFrom(
  planned: readonly PlannedEffect[],
  count: number,
  range: FrameRange,
  source: (range: FrameRange) => FrameStream
): FrameStream {
  const effect = planned[count - 1]
  if (effect === undefined) return source(range)
  return effect.open(range, openFrom(planned, count - 1, effect.inputRange(range), source))
}

/** A range of twice the length needs the single share once more: what is left of the single range is pre-roll. */
function preRollOf(frames: number, inputRange: (range: FrameRange) => FrameRange): number {
  const length = Math.min(BLOCK_FRAMES, frames >> 2)
  const start = Math.floor(frames / 2)
  const once = lengthOf(inputRange({ start, end: start + length }))
  const twice = lengthOf(inputRange({ start, end: start + 2 * length }))
  return Math.max(0, 2 * once - twice)
}

function lengthOf(range: FrameRange): number {
  return range.end - range.start
}

function checkMeasured({ kind }: ChainEffect, index: number, resources: PlanResources): void {
  if (kind.measures !== true || (index === 0 && resources.measured !== undefined)) return
  const problem = index === 0 ? 'has no measurement of its input' : 'stands behind another effect of its pass'
  const advice = 'plan the passes of splitPasses one by one, and measure between them'
  throw new SwarmError('CHAIN_UNMEASURED', `${kind.name} ${problem}; ${advice}`, { exitCode: EXIT_CODES.usage })
}

/** Times in samples can be checked only now that the rate is known. */
function checkTimes({ kind, settings }: ChainEffect, sampleRate: number): void {
  for (const parameter of kind.parameters) {
    const setting = settings[parameter.name]
    if (parameter.kind !== 'time' || setting === undefined) continue
    if (isWithin(parameter, secondsOf(setting, sampleRate))) continue
    const got = `${setting} at ${sampleRate} Hz`
    throw effectUnsuitable(kind.name, `expected ${expectedOf(parameter)} for '${parameter.name}', but got ${got}`)
  }
}
