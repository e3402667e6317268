import { describe, expect, it } from 'vitest'
import { SOX } from '../../../support/audio-tools.ts'
import { greatestDifference, noise, runWhole, type Signal, sweep } from './chain-runs.ts'
import { throughSox } from './through-sox.ts'

/** −90 dBFS. */
const DIFFERENCE_MAX = 10 ** (-90 / 20)
const FRAMES = 9000

const SAME: readonly (readonly [ours: string, sox: string])[] = [
  ['gain -4', 'gain -4'],
  ['gain 5.5dB', 'vol 5.5dB'],
  ['invert', 'vol -1'],
  ['highpass 80', 'highpass 80'],
  ['highpass 300 1.2q', 'highpass 300 1.2q'],
  ['highpass 500 poles=1', 'highpass -1 500'],
  ['lowpass 1k', 'lowpass 1k'],
  ['lowpass 2000 2o', 'lowpass 2000 2o'],
  ['lowpass 1000 poles=1', 'lowpass -1 1000'],
  ['bandpass 1000 200', 'bandpass 1000 200'],
  ['bandpass 1000 2q', 'bandpass 1000 2q'],
  ['notch 1500 1q', 'bandreject 1500 1q'],
  ['notch 1500 100h', 'bandreject 1500 100h'],
  ['eq 3000 1.2q -4', 'equalizer 3000 1.2q -4'],
  ['eq 60 0.5q 6', 'equalizer 60 0.5q 6'],
  ['eq 1000 1.5o 3', 'equalizer 1000 1.5o 3'],
  ['bass 6', 'bass 6'],
  ['bass -10 200 0.8s', 'bass -10 200 0.8s'],
  ['treble -6', 'treble -6'],
  ['treble 5 2000 0.7q', 'treble 5 2000 0.7q'],
  ['fade 4000s 2000s linear', 'fade t 4000s 9000s 2000s'],
  ['fade 4000s 2000s log', 'fade l 4000s 9000s 2000s'],
  ['fade 4000s 2000s quarter-sine', 'fade q 4000s 9000s 2000s'],
  ['fade 4000s 2000s half-sine', 'fade h 4000s 9000s 2000s'],
  ['fade 4000s 2000s parabola', 'fade p 4000s 9000s 2000s'],
  ['trim 0.1 0.25', 'trim 0.1 0.25'],
  ['trim 1234s', 'trim 1234s'],
  ['pad 0.1 100s', 'pad 0.1 100s'],
  ['reverse', 'reverse'],
  ['channels swap', 'swap'],
  [
    'highpass 80, eq 3000 1.2q -4, bass 3, reverse, trim 100s, pad 50s',
    'highpass 80 equalizer 3000 1.2q -4 bass 3 reverse trim 100s pad 50s 0'
  ]
]

const MIXES: readonly (readonly [ours: string, sox: string, inputs: number, outputs: number])[] = [
  ['channels mono', 'channels 1', 2, 1],
  ['channels mono', 'channels 1', 5, 1],
  ['channels stereo', 'channels 2', 1, 2],
  ['channels stereo', 'channels 2', 5, 2],
  ['channels swap', 'swap', 5, 5],
  ['channels mix 0.5:0.25/1:0/0:-1', 'remix 1v0.5,2v0.25 1 2i', 2, 3]
]

function stereo(sampleRate: number): Signal {
  const [left = new Float64Array(0)] = noise(sampleRate, 1, FRAMES)
  return { sampleRate, samples: [left, sweep(sampleRate, FRAMES)] }
}

describe('effects against SoX, float in and out (skipped where sox is not installed)', () => {
  for (const sampleRate of [8000, 44_100, 48_000]) {
    it.skipIf(SOX === undefined).each(SAME)(`%s is SoX's %s at ${sampleRate} Hz within −90 dBFS`, (ours, sox) => {
      const signal = stereo(sampleRate)
      expect(greatestDifference(runWhole(ours, signal), throughSox(signal, sox))).toBeLessThanOrEqual(DIFFERENCE_MAX)
    })
  }

  it.skipIf(SOX === undefined).each(MIXES)('%s is SoX’s %s from %d to %d channels', (ours, sox, inputs, outputs) => {
    const signal = { sampleRate: 48_000, samples: noise(7, inputs, 2000) }
    const theirs = throughSox(signal, sox, outputs)
    expect(greatestDifference(runWhole(ours, signal), theirs)).toBeLessThanOrEqual(DIFFERENCE_MAX)
  })
})
