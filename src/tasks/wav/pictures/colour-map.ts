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

/** Entries of {@link colourTable}. */
export const COLOURS = 256

/** @returns [256 × 3] red, green and blue from 0 to 255, from the quietest to the loudest; between stops it is linear */
export function colourTable(): Uint8Array {
  const table = new Uint8Array(COLOURS * 3)
  for (let index = 0; index < COLOURS; index += 1) {
    const position = (index / (COLOURS - 1)) * (STOPS.length - 1)
    const stop = Math.min(Math.floor(position), STOPS.length - 2)
    const [low, high] = [STOPS[stop], STOPS[stop + 1]]
    for (let part = 0; part < 3; part += 1) {
      const [from, to] = [low?.[part] ?? 0, high?.[part] ?? 0]
      table[index * 3 + part] = Math.round(from + (to - from) * (position - stop))
    }
  }
  return table
}
