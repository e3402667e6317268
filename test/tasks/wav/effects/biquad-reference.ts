/** Coefficients [b0, b1, b2, a0, a1, a2] of a filter, straight from the Audio EQ Cookbook with the machine's own functions. */
export function cookbook(
  type: 'lowpass' | 'highpass' | 'bandpass' | 'notch' | 'eq' | 'bass' | 'treble',
  frequency: number,
  q: number,
  gainDb: number,
  sampleRate: number
): readonly number[] {
  const w = (2 * Math.PI * frequency) / sampleRate
  const cos = Math.cos(w)
  const alpha = Math.sin(w) / (2 * q)
  const A = 10 ** (gainDb / 40)
  const s = 2 * Math.sqrt(A) * alpha
  switch (type) {
    case 'lowpass':
      return [(1 - cos) / 2, 1 - cos, (1 - cos) / 2, 1 + alpha, -2 * cos, 1 - alpha]
    case 'highpass':
      return [(1 + cos) / 2, -1 - cos, (1 + cos) / 2, 1 + alpha, -2 * cos, 1 - alpha]
    case 'bandpass':
      return [alpha, 0, -alpha, 1 + alpha, -2 * cos, 1 - alpha]
    case 'notch':
      return [1, -2 * cos, 1, 1 + alpha, -2 * cos, 1 - alpha]
    case 'eq':
      return [1 + alpha * A, -2 * cos, 1 - alpha * A, 1 + alpha / A, -2 * cos, 1 - alpha / A]
    case 'bass':
      return [
        A * (A + 1 - (A - 1) * cos + s),
        2 * A * (A - 1 - (A + 1) * cos),
        A * (A + 1 - (A - 1) * cos - s),
        A + 1 + (A - 1) * cos + s,
        -2 * (A - 1 + (A + 1) * cos),
        A + 1 + (A - 1) * cos - s
      ]
    case 'treble':
      return [
        A * (A + 1 + (A - 1) * cos + s),
        -2 * A * (A - 1 + (A + 1) * cos),
        A * (A + 1 + (A - 1) * cos - s),
        A + 1 - (A - 1) * cos + s,
        2 * (A - 1 - (A + 1) * cos),
        A + 1 - (A - 1) * cos - s
      ]
  }
}

/** Direct form I, sample by sample. */
export function filterDirectly(coefficients: readonly number[], samples: Float64Array): Float64Array {
  const [b0 = 0, b1 = 0, b2 = 0, a0 = 1, a1 = 0, a2 = 0] = coefficients
  const output = new Float64Array(samples.length)
  const at = (values: Float64Array, index: number): number => values[index] ?? 0
  for (const index of samples.keys()) {
    const forward = b0 * at(samples, index) + b1 * at(samples, index - 1) + b2 * at(samples, index - 2)
    output[index] = (forward - a1 * at(output, index - 1) - a2 * at(output, index - 2)) / a0
  }
  return output
}
