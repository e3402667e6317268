import type { AudioShape, FrameRange } from '../audio-format.ts'
import { effectUnsuitable, quoted } from '../chain/chain-error.ts'
import { numberSetting, textSetting } from '../chain/settings.ts'
import { decibelsToGain } from '../math/exact-math.ts'
import { reachOf } from './carried-stream.ts'
import { ConvolveResponse, partitionFrames } from './convolve-response.ts'
import { ConvolvedStream } from './convolve-stream.ts'
import type { EffectKind, PlannedEffect, PlanResources, Settings } from './effect.ts'

/** Longest impulse response, in seconds. */
const RESPONSE_SECONDS_MAX = 60
/** Numbers that spectra of response and signal may hold together: 256 MiB. */
const SPECTRUM_NUMBERS_MAX = 1 << 25

/**
 * Convolution with an impulse response from a file, as for reverbs of real rooms; longer than the audio by the response's
 * length less one frame. A response of one channel serves every channel; else it has as many as the audio.
 *
 * The response is finite, so its length is the exact pre-roll. Partitions lie on a grid of output frames from 0 on.
 * @see W. G. Gardner, "Efficient Convolution without Input-Output Delay", JAES 43 (1995), 127 (its uniform partitions)
 */
export const convolve: EffectKind = {
  name: 'convolve',
  summary: 'convolves with the impulse response in a file, as for the reverb of a real room',
  parameters: [
    { name: 'response', summary: 'sound file with the impulse response', kind: 'file' },
    { name: 'wet-gain', summary: 'gain of the result', kind: 'gain', min: -120, max: 60, fallback: 0 },
    {
      name: 'dry-gain',
      summary: 'gain of the audio itself beside it',
      kind: 'gain',
      min: -120,
      max: 60,
      optional: true
    }
  ],
  plan(settings, input, resources) {
    const samples = responseOf(settings, input, resources)
    const responseFrames = samples[0]?.length ?? 0
    const partition = partitionFrames(responseFrames)
    const response = new ConvolveResponse(samples, partition, decibelsToGain(numberSetting(settings, 'wet-gain')))
    const dryGain = settings['dry-gain'] === undefined ? 0 : decibelsToGain(numberSetting(settings, 'dry-gain'))
    const inputRange = (range: FrameRange): FrameRange => {
      const first = Math.floor(range.start / partition) * partition
      // An empty range reads nothing; any other, whole partitions.
      const last = Math.ceil(range.end / partition) * partition
      const end = range.end > range.start ? last : first
      return reachOf({ start: first, end }, response.partitions * partition, 0, input.frames)
    }
    return {
      output: { ...input, frames: input.frames + responseFrames - 1 },
      inputRange,
      open: (range, stream) => new ConvolvedStream({ response, dryGain, range, inputRange: inputRange(range) }, stream)
    } satisfies PlannedEffect
  }
}

function responseOf(settings: Settings, input: AudioShape, resources: PlanResources): readonly Float64Array[] {
  const path = textSetting(settings, 'response')
  if (resources.impulse === undefined) {
    throw effectUnsuitable('convolve', `expected the samples of ${quoted(path)}, but no files are read here`)
  }
  const { sampleRate, channels } = resources.impulse(path)
  if (sampleRate !== input.sampleRate) {
    const problem = `expected the ${input.sampleRate} Hz of the audio, but ${quoted(path)} has ${sampleRate} Hz`
    throw effectUnsuitable('convolve', `${problem}; resample it to ${input.sampleRate} Hz first`)
  }
  if (channels.length !== 1 && channels.length !== input.channels) {
    const expected = input.channels === 1 ? '1 channel' : `1 or ${input.channels} channels`
    throw effectUnsuitable('convolve', `expected ${expected}, but ${quoted(path)} has ${channels.length}; mix it first`)
  }
  const frames = channels[0]?.length ?? 0
  if (frames < 1 || frames > RESPONSE_SECONDS_MAX * sampleRate) {
    const problem = `expected a response of 1 frame to ${RESPONSE_SECONDS_MAX} s`
    throw effectUnsuitable('convolve', `${problem}, but ${quoted(path)} has ${frames} frames; trim it`)
  }
  const partition = partitionFrames(frames)
  const numbers = 2 * (partition + 1) * Math.ceil(frames / partition) * (channels.length + input.channels)
  if (numbers > SPECTRUM_NUMBERS_MAX) {
    const problem = `expected a response whose spectra take ${SPECTRUM_NUMBERS_MAX} numbers at most`
    throw effectUnsuitable(
      'convolve',
      `${problem}, but ${quoted(path)} takes ${numbers}; trim it or use fewer channels`
    )
  }
  return channels
}
