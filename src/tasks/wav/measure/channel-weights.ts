/** Weight of a loudspeaker beside or behind the listener. @see ITU-R BS.1770-4, table 3 */
const SURROUND = 1.41

/** Loudspeakers by bit of a WAVE_FORMAT_EXTENSIBLE channel mask. */
const FRONT_LEFT = 0x1
const FRONT_RIGHT = 0x2
const FRONT_CENTRE = 0x4
const LOW_FREQUENCY = 0x8
const BACK_LEFT = 0x10
const BACK_RIGHT = 0x20
const BACK_CENTRE = 0x100
const SIDE_LEFT = 0x200
const SIDE_RIGHT = 0x400

/** Loudspeakers that a count of channels stands for where a file names none. */
const USUAL_MASKS: readonly number[] = [
  0,
  FRONT_CENTRE,
  FRONT_LEFT | FRONT_RIGHT,
  FRONT_LEFT | FRONT_RIGHT | FRONT_CENTRE,
  FRONT_LEFT | FRONT_RIGHT | BACK_LEFT | BACK_RIGHT,
  FRONT_LEFT | FRONT_RIGHT | FRONT_CENTRE | BACK_LEFT | BACK_RIGHT,
  FRONT_LEFT | FRONT_RIGHT | FRONT_CENTRE | LOW_FREQUENCY | BACK_LEFT | BACK_RIGHT,
  FRONT_LEFT | FRONT_RIGHT | FRONT_CENTRE | LOW_FREQUENCY | BACK_CENTRE | SIDE_LEFT | SIDE_RIGHT,
  FRONT_LEFT | FRONT_RIGHT | FRONT_CENTRE | LOW_FREQUENCY | BACK_LEFT | BACK_RIGHT | SIDE_LEFT | SIDE_RIGHT
]

/**
 * How much each channel's energy counts in loudness: 1.41 for surround channels, 0 for the low-frequency one, 1 for others.
 * @param channels 1 or more
 * @param mask loudspeakers in channel order, bits as in WAVE_FORMAT_EXTENSIBLE; by default what the count usually stands for
 * @see ITU-R BS.1770-4, annex 1, table 3, and annex 3: backs beside side loudspeakers stand beyond 120° and count 1
 */
export function channelWeights(channels: number, mask?: number): number[] {
  const named = mask === undefined || mask === 0 ? (USUAL_MASKS[channels] ?? 0) : mask
  const surrounds = (named & (SIDE_LEFT | SIDE_RIGHT)) === 0 ? BACK_LEFT | BACK_RIGHT : SIDE_LEFT | SIDE_RIGHT
  const weights: number[] = []
  for (let bit = 0; bit < 31 && weights.length < channels; bit++) {
    const speaker = named & (1 << bit)
    if (speaker === 0) continue
    if (speaker === LOW_FREQUENCY) weights.push(0)
    else weights.push((speaker & surrounds) === 0 ? 1 : SURROUND)
  }
  while (weights.length < channels) weights.push(1)
  return weights
}
