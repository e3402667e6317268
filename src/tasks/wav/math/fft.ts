import { exactCos, exactSin } from './exact-math.ts'

const SIZE_MIN = 16
const SIZE_MAX = 65_536

/** What transforms of one size share; never written after it is made. */
interface Tables {
  /** Where each input of the half-size transform goes. */
  readonly order: Uint16Array
  /** By pass from short to long, by butterfly: cos and sin of one, two and three times its angle. */
  readonly twiddles: Float64Array
  /** Cos and sin of 2πk / size, k up to size / 4. */
  readonly unpack: Float64Array
}

const tablesBySize = new Map<number, Tables>()

/**
 * Discrete Fourier transform of real signals: a complex transform of half the size, in passes of radix 4, in place.
 * Deterministic: the same bits on every machine.
 * @see J. W. Cooley, J. W. Tukey, Math. Comp. 19 (1965), 297
 */
export class RealFft {
  readonly size: number
  readonly #tables: Tables
  readonly #re: Float64Array
  readonly #im: Float64Array

  /**
   * @param size of the real signal: a power of two, 16 to 65536
   * @throws RangeError for another size
   */
  constructor(size: number) {
    if (!(size >= SIZE_MIN && size <= SIZE_MAX && Number.isInteger(size)) || (size & (size - 1)) !== 0) {
      throw new RangeError(`a transform's size is ${size}; expected a power of two, ${SIZE_MIN} to ${SIZE_MAX}`)
    }
    this.size = size
    this.#tables = tablesOf(size)
    this.#re = new Float64Array(size / 2)
    this.#im = new Float64Array(size / 2)
  }

  /**
   * Spectrum of a signal: Σ x[n] e^(−2πi kn / size), for k from 0 to size / 2.
   * @param samples [size]
   * @param real [size / 2 + 1], written
   * @param imaginary [size / 2 + 1], written
   */
  forward(samples: Float64Array, real: Float64Array, imaginary: Float64Array): void {
    const re = this.#re
    const im = this.#im
    const { order, unpack } = this.#tables
    const half = re.length
    for (let i = 0; i < half; i++) {
      const to = order[i] as number
      re[to] = samples[2 * i] as number
      im[to] = samples[2 * i + 1] as number
    }
    transform(re, im, this.#tables.twiddles)
    const first = re[0] as number
    const second = im[0] as number
    real[0] = first + second
    imaginary[0] = 0
    real[half] = first - second
    imaginary[half] = 0
    for (let k = 1; k <= half >> 1; k++) {
      const ar = re[k] as number
      const ai = im[k] as number
      const br = re[half - k] as number
      const bi = im[half - k] as number
      const evenRe = 0.5 * (ar + br)
      const evenIm = 0.5 * (ai - bi)
      const oddRe = 0.5 * (ai + bi)
      const oddIm = 0.5 * (br - ar)
      const c = unpack[2 * k] as number
      const s = unpack[2 * k + 1] as number
      const turnedRe = oddRe * c + oddIm * s
      const turnedIm = oddIm * c - oddRe * s
      real[k] = evenRe + turnedRe
      imaginary[k] = evenIm + turnedIm
      real[half - k] = evenRe - turnedRe
      imaginary[half - k] = turnedIm - evenIm
    }
  }

  /**
   * Signal of a spectrum, scaled so that it undoes {@link RealFft.forward}.
   * @param real [size / 2 + 1]
   * @param imaginary [size / 2 + 1]; its first and last count as 0
   * @param samples [size], written
   */
  inverse(real: Float64Array, imaginary: Float64Array, samples: Float64Array): void {
    const re = this.#re
    const im = this.#im
    const { order, unpack } = this.#tables
    const half = re.length
    // The spectrum of even plus i times odd samples, with real and imaginary swapped: so the forward passes go backward.
    re[0] = 0.5 * ((real[0] as number) - (real[half] as number))
    im[0] = 0.5 * ((real[0] as number) + (real[half] as number))
    for (let k = 1; k <= half >> 1; k++) {
      const ar = real[k] as number
      const ai = imaginary[k] as number
      const br = real[half - k] as number
      const bi = imaginary[half - k] as number
      const evenRe = 0.5 * (ar + br)
      const evenIm = 0.5 * (ai - bi)
      const turnedRe = 0.5 * (ar - br)
      const turnedIm = 0.5 * (ai + bi)
      const c = unpack[2 * k] as number
      const s = unpack[2 * k + 1] as number
      const oddRe = turnedRe * c - turnedIm * s
      const oddIm = turnedIm * c + turnedRe * s
      const low = order[k] as number
      const high = order[half - k] as number
      re[low] = evenIm + oddRe
      im[low] = evenRe - oddIm
      re[high] = oddRe - evenIm
      im[high] = evenRe + oddIm
    }
    transform(re, im, this.#tables.twiddles)
    const scale = 1 / half
    for (let i = 0; i < half; i++) {
      samples[2 * i] = (im[i] as number) * scale
      samples[2 * i + 1] = (re[i] as number) * scale
    }
  }
}

/** Complex transform in place of what lies in bit-reversed order; its length is a power of two, 8 or more. */
function transform(re: Float64Array, im: Float64Array, twiddles: Float64Array): void {
  const length = re.length
  let quarter = firstQuarter(length)
  if (quarter === 2) pairs(re, im)
  let at = 0
  for (; quarter < length; quarter *= 4) {
    for (let j = 0; j < quarter; j++) {
      const c1 = twiddles[at] as number
      const s1 = twiddles[at + 1] as number
      const c2 = twiddles[at + 2] as number
      const s2 = twiddles[at + 3] as number
      const c3 = twiddles[at + 4] as number
      const s3 = twiddles[at + 5] as number
      at += 6
      for (let a = j; a < length; a += 4 * quarter) {
        const b = a + quarter
        const c = b + quarter
        const d = c + quarter
        const aRe = re[a] as number
        const aIm = im[a] as number
        const bRe = (re[b] as number) * c2 + (im[b] as number) * s2
        const bIm = (im[b] as number) * c2 - (re[b] as number) * s2
        const cRe = (re[c] as number) * c1 + (im[c] as number) * s1
        const cIm = (im[c] as number) * c1 - (re[c] as number) * s1
        const dRe = (re[d] as number) * c3 + (im[d] as number) * s3
        const dIm = (im[d] as number) * c3 - (re[d] as number) * s3
        const sumRe = aRe + bRe
        const sumIm = aIm + bIm
        const gapRe = aRe - bRe
        const gapIm = aIm - bIm
        const farSumRe = cRe + dRe
        const farSumIm = cIm + dIm
        const farGapRe = cRe - dRe
        const farGapIm = cIm - dIm
        re[a] = sumRe + farSumRe
        im[a] = sumIm + farSumIm
        re[b] = gapRe + farGapIm
        im[b] = gapIm - farGapRe
        re[c] = sumRe - farSumRe
        im[c] = sumIm - farSumIm
        re[d] = gapRe - farGapIm
        im[d] = gapIm + farGapRe
      }
    }
  }
}

/** Length of the transforms that the first pass of radix 4 joins: 1, or 2 where the length is twice a power of four. */
function firstQuarter(length: number): 1 | 2 {
  return (Math.clz32(length) & 1) === 1 ? 1 : 2
}

function pairs(re: Float64Array, im: Float64Array): void {
  for (let a = 0; a < re.length; a += 2) {
    const aRe = re[a] as number
    const aIm = im[a] as number
    const bRe = re[a + 1] as number
    const bIm = im[a + 1] as number
    re[a] = aRe + bRe
    im[a] = aIm + bIm
    re[a + 1] = aRe - bRe
    im[a + 1] = aIm - bIm
  }
}

function tablesOf(size: number): Tables {
  const known = tablesBySize.get(size)
  if (known !== undefined) return known
  const length = size / 2
  const order = new Uint16Array(length)
  for (let i = 1; i < length; i++) {
    order[i] = ((order[i >> 1] as number) >> 1) | ((i & 1) === 1 ? length >> 1 : 0)
  }
  const twiddles: number[] = []
  for (let quarter: number = firstQuarter(length); quarter < length; quarter *= 4) {
    for (let j = 0; j < quarter; j++) {
      for (let times = 1; times <= 3; times++) twiddles.push(...onCircle(times * j, 4 * quarter))
    }
  }
  const unpack: number[] = []
  for (let k = 0; k <= size / 4; k++) unpack.push(...onCircle(k, size))
  const tables = { order, twiddles: Float64Array.from(twiddles), unpack: Float64Array.from(unpack) }
  tablesBySize.set(size, tables)
  return tables
}

/** Cos and sin of `step` steps out of `steps` around the circle. */
function onCircle(step: number, steps: number): [number, number] {
  const angle = (2 * Math.PI * step) / steps
  return [exactCos(angle), exactSin(angle)]
}
