import { describe, expect, it } from 'vitest'
import { dcshift } from '../../../../src/tasks/wav/effects/dcshift.ts'
import { delay } from '../../../../src/tasks/wav/effects/delay.ts'
import { echo } from '../../../../src/tasks/wav/effects/echo.ts'
import type { EffectKind } from '../../../../src/tasks/wav/effects/effect.ts'
import { reverb } from '../../../../src/tasks/wav/effects/reverb.ts'
import { SOX } from '../../../support/audio-tools.ts'
import { greatestDifference, noise } from './chain-runs.ts'
import { runWords } from './memory-runs.ts'
import { throughSox } from './through-sox.ts'

/** −90 dBFS. */
const DIFFERENCE_MAX = 10 ** (-90 / 20)

type Case = readonly [kind: EffectKind, words: string, sox: string, rate: number, inputs: number, outputs: number]
const SAME: readonly Case[] = [
  [delay, '0 0.5', 'delay 0 0.5', 44_100, 2, 2],
  [delay, '0.1 123s 0 50ms', 'delay 0.1 123s 0 0.05', 8000, 5, 5],
  [echo, '0.8 0.9 60ms 0.4', 'echo 0.8 0.9 60 0.4', 48_000, 2, 2],
  [echo, '0.5 0.7 100ms 0.3 0.25 0.2 70ms 0.1', 'echo 0.5 0.7 100 0.3 250 0.2 70 0.1', 44_100, 1, 1],
  [dcshift, '0.1', 'dcshift 0.1', 48_000, 2, 2],
  [dcshift, '-0.25', 'dcshift -0.25', 48_000, 3, 3],
  [reverb, '', 'reverb', 44_100, 2, 2],
  [reverb, '35', 'reverb 35', 48_000, 2, 2],
  [reverb, '100 0 100', 'reverb 100 0 100', 48_000, 2, 2],
  [reverb, '0 100 0', 'reverb 0 100 0', 22_050, 2, 2],
  [reverb, '80 20 60 45 20ms -3', 'reverb 80 20 60 45 20 -3', 96_000, 2, 2],
  [reverb, '60 30 80 0 10ms 4', 'reverb 60 30 80 0 10 4', 44_100, 2, 2],
  [reverb, '50 50 100 100', 'reverb 50 50 100 100', 44_100, 1, 2],
  [reverb, '50 50 100 0', 'reverb 50 50 100 0', 44_100, 1, 1],
  [reverb, '70 40 50 100 0 0', 'reverb 70 40 50 100 0 0', 8000, 4, 4],
  [reverb, '35 mix=wet-only', 'reverb -w 35', 48_000, 2, 2]
]

describe('an effect with memory that SoX defines', () => {
  it.skipIf(SOX === undefined).each(SAME)(
    'differs from SoX by at most −90 dBFS, and is as long: $0.name $1 at $3 Hz (needs sox)',
    (kind, words, sox, rate, inputs, outputs) => {
      const signal = { sampleRate: rate, samples: noise(11, inputs, 60_000, 0.1) }
      expect(greatestDifference(runWords(kind, words, signal), throughSox(signal, sox, outputs))).toBeLessThan(
        DIFFERENCE_MAX
      )
    }
  )
})
