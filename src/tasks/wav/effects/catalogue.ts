import { bandpass } from './bandpass.ts'
import { bass } from './bass.ts'
import { channels } from './channels.ts'
import { compress } from './compress.ts'
import { convolve } from './convolve.ts'
import { dcOffset } from './dc-offset.ts'
import { dcshift } from './dcshift.ts'
import { delay } from './delay.ts'
import { echo } from './echo.ts'
import type { EffectKind } from './effect.ts'
import { eq } from './eq.ts'
import { fade } from './fade.ts'
import { gain } from './gain.ts'
import { highpass } from './highpass.ts'
import { invert } from './invert.ts'
import { limit } from './limit.ts'
import { lowpass } from './lowpass.ts'
import { normalize } from './normalize.ts'
import { notch } from './notch.ts'
import { pad } from './pad.ts'
import { resample } from './resample.ts'
import { reverb } from './reverb.ts'
import { reverse } from './reverse.ts'
import { speed } from './speed.ts'
import { treble } from './treble.ts'
import { trim } from './trim.ts'

/** All effects, in the order in which they are listed: levels, filters, echoes, time, channels. Names are unique. */
export const CATALOGUE: readonly EffectKind[] = [
  gain,
  invert,
  dcOffset,
  dcshift,
  normalize,
  compress,
  limit,
  highpass,
  lowpass,
  bandpass,
  notch,
  eq,
  bass,
  treble,
  delay,
  echo,
  reverb,
  convolve,
  fade,
  trim,
  pad,
  reverse,
  speed,
  resample,
  channels
]

/** What SoX and FFmpeg call effects that are called otherwise here, for hints. */
export const SOX_NAMES: Readonly<Record<string, string>> = {
  equalizer: 'eq',
  bandreject: 'notch',
  norm: 'normalize',
  vol: 'gain',
  echos: 'echo',
  compand: 'compress',
  rate: 'resample',
  remix: 'channels',
  swap: 'channels swap',
  fir: 'convolve',
  volume: 'gain',
  loudnorm: 'normalize'
}
