/**
 * Colours whose lightness (CIE L*) rises by 12 from stop to stop, so that equal steps of level look equally far apart, on a grey
 * print too. Stop i, of 0 to 8, with t = i / 8: hue 285° + 165° t, chroma 8 + 75 sin(π (0.08 + 0.82 t)) or as much less as
 * sRGB holds.
 */
const STOPS: readonly (readonly [number, number, number])[] = [
  [0, 0, 9],
  [31, 17, 87],
  [105, 0, 111],
  [164, 0, 110],
  [224, 1, 101],
  [255, 83, 87],
  [255, 149, 104],
  [255, 199, 144],
  [255, 242, 216]
]

/** Colours of levels, from the quietest to the loudest: one for each half dB of a spectrogram's range. */
export const COLOURS = 241
/** Entries of {@link PALETTE} behind the colours: what axes are drawn with, and on. */
export const INK = COLOURS
export const PAPER = COLOURS + 1

const INK_GREY = 40
const PAPER_GREY = 255

/** [243 × 3] red, green and blue from 0 to 255: {@link COLOURS}, linear between stops, then ink and paper. */
export const PALETTE: Uint8Array = Uint8Array.from([
  ...Array.from({ length: COLOURS }, (_, index) => colour(index)).flat(),
  ...grey(INK_GREY),
  ...grey(PAPER_GREY)
])

function colour(index: number): readonly number[] {
  const position = (index / (COLOURS - 1)) * (STOPS.length - 1)
  const stop = Math.min(Math.floor(position), STOPS.length - 2)
  const [low, high] = [STOPS[stop], STOPS[stop + 1]]
  return [0, 1, 2].map((part) => {
    const [from, to] = [low?.[part] ?? 0, high?.[part] ?? 0]
    return Math.round(from + (to - from) * (position - stop))
  })
}

function grey(level: number): readonly number[] {
  return [level, level, level]
}
