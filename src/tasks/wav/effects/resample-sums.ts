/** Where the taps and the first input frames of output frames are. */
export interface TapPlaces {
  readonly table: Float64Array
  /** [frames] index of the first tap in the table. */
  readonly rows: Int32Array
  /** [frames] index of its input frame. */
  readonly starts: Int32Array
  /** Of a sum, a multiple of four. */
  readonly length: number
}

/**
 * Output frames `done` up to `done + count` of one channel: Σ table[row + i] · samples[start + i], in four sums that are added
 * last.
 */
export function sumTaps(
  { table, rows, starts, length }: TapPlaces,
  samples: Float64Array,
  out: Float64Array,
  done: number,
  count: number
): void {
  for (let frame = 0; frame < count; frame++) {
    const row = rows[frame] as number
    const start = starts[frame] as number
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let i = 0; i < length; i += 4) {
      const from = row + i
      const to = start + i
      a += (table[from] as number) * (samples[to] as number)
      b += (table[from + 1] as number) * (samples[to + 1] as number)
      c += (table[from + 2] as number) * (samples[to + 2] as number)
      d += (table[from + 3] as number) * (samples[to + 3] as number)
    }
    out[done + frame] = a + b + (c + d)
  }
}

/** {@link sumTaps} for two channels at once, each in two sums: half as many taps are read. */
export function sumTapsOfTwo(
  { table, rows, starts, length }: TapPlaces,
  one: Float64Array,
  other: Float64Array,
  oneOut: Float64Array,
  otherOut: Float64Array,
  done: number,
  count: number
): void {
  for (let frame = 0; frame < count; frame++) {
    const row = rows[frame] as number
    const start = starts[frame] as number
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let i = 0; i < length; i += 2) {
      const from = row + i
      const to = start + i
      const even = table[from] as number
      const odd = table[from + 1] as number
      a += even * (one[to] as number)
      b += odd * (one[to + 1] as number)
      c += even * (other[to] as number)
      d += odd * (other[to + 1] as number)
    }
    oneOut[done + frame] = a + b
    otherOut[done + frame] = c + d
  }
}
