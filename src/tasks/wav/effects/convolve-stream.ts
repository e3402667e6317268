// Owns the past spectra of one range; its reader drives it, one partition whenever the one before is used up.
import type { FrameRange } from '../audio-format.ts'
import { RealFft } from '../math/fft.ts'
import type { ConvolveResponse } from './convolve-response.ts'
import { BLOCK_FRAMES, type FrameStream } from './effect.ts'

/** What a range of a convolution is made with. */
export interface ConvolvePlan {
  readonly response: ConvolveResponse
  /** Factor of the audio itself. */
  readonly dryGain: number
  readonly range: FrameRange
  /** What the input streams: from `partitions` partitions before the range's first on. */
  readonly inputRange: FrameRange
}

/**
 * Overlap-save in equal partitions: each block of two partitions of input is transformed once, multiplied with every
 * partition's spectrum as it ages, and the sum transformed back, whose second half is a partition of output.
 */
export class ConvolvedStream implements FrameStream {
  readonly channels: number
  readonly #plan: ConvolvePlan
  readonly #input: FrameStream
  readonly #fft: RealFft
  /** [channels][2 × partition]: the last two partitions of input. */
  readonly #windows: readonly Float64Array[]
  /** [channels][partitions × (partition + 1)] rings of spectra, parts apart. */
  readonly #real: readonly Float64Array[]
  readonly #imaginary: readonly Float64Array[]
  /** [channels][partition] output, used up to `#used`. */
  readonly #ready: readonly Float64Array[]
  readonly #sumReal: Float64Array
  readonly #sumImaginary: Float64Array
  readonly #samples: Float64Array
  readonly #block: readonly Float64Array[]
  /** First frame of the partition that is read next, and its place in the rings. */
  #frame: number
  #slot = 0
  #used: number

  constructor(plan: ConvolvePlan, input: FrameStream) {
    const { partition, partitions } = plan.response
    const perChannel = (length: number): readonly Float64Array[] =>
      Array.from({ length: input.channels }, () => new Float64Array(length))
    this.channels = input.channels
    this.#plan = plan
    this.#input = input
    this.#fft = new RealFft(2 * partition)
    this.#windows = perChannel(2 * partition)
    this.#real = perChannel(partitions * (partition + 1))
    this.#imaginary = perChannel(partitions * (partition + 1))
    this.#ready = perChannel(partition)
    this.#sumReal = new Float64Array(partition + 1)
    this.#sumImaginary = new Float64Array(partition + 1)
    this.#samples = new Float64Array(2 * partition)
    this.#block = perChannel(BLOCK_FRAMES)
    const first = Math.floor(plan.range.start / partition) * partition
    this.#frame = Math.max(first - partitions * partition, 0)
    this.#used = partition
    while (this.#frame < first) this.#takePartition()
    if (plan.range.start === first) return
    this.#takePartition()
    this.#multiply()
    this.#used = plan.range.start - first
  }

  read(out: readonly Float64Array[], count: number): void {
    const { partition } = this.#plan.response
    for (let at = 0; at < count; ) {
      if (this.#used === partition) {
        this.#takePartition()
        this.#multiply()
        this.#used = 0
      }
      const step = Math.min(count - at, partition - this.#used)
      for (const [channel, ready] of this.#ready.entries()) {
        copy(ready, this.#used, out[channel] as Float64Array, at, step)
      }
      this.#used += step
      at += step
    }
  }

  /** Reads the next partition of input, silence outside of it, and adds its spectrum to the rings. */
  #takePartition(): void {
    const { partition, partitions } = this.#plan.response
    for (const window of this.#windows) window.copyWithin(0, partition).fill(0, partition)
    const from = Math.max(this.#frame, this.#plan.inputRange.start)
    const end = Math.min(this.#frame + partition, this.#plan.inputRange.end)
    for (let at = from; at < end; at += BLOCK_FRAMES) {
      const count = Math.min(BLOCK_FRAMES, end - at)
      this.#input.read(this.#block, count)
      for (const [channel, window] of this.#windows.entries()) {
        copy(this.#block[channel] as Float64Array, 0, window, partition + at - this.#frame, count)
      }
    }
    const bins = partition + 1
    const place = this.#slot * bins
    for (const [channel, window] of this.#windows.entries()) {
      const real = this.#real[channel] as Float64Array
      const imaginary = this.#imaginary[channel] as Float64Array
      this.#fft.forward(window, real.subarray(place, place + bins), imaginary.subarray(place, place + bins))
    }
    this.#frame += partition
    this.#slot = (this.#slot + 1) % partitions
  }

  /** Output of the partition that was taken last. */
  #multiply(): void {
    const { response, dryGain } = this.#plan
    const { partition, partitions } = response
    const bins = partition + 1
    for (const [channel, ready] of this.#ready.entries()) {
      const spectrum = response.spectrum(channel)
      this.#sumReal.fill(0)
      this.#sumImaginary.fill(0)
      for (let part = 0; part < partitions; part++) {
        const slot = (this.#slot - 1 - part + 2 * partitions) % partitions
        this.#addProduct(channel, slot * bins, spectrum, part * bins, bins)
      }
      this.#fft.inverse(this.#sumReal, this.#sumImaginary, this.#samples)
      const window = this.#windows[channel] as Float64Array
      if (dryGain === 0) copy(this.#samples, partition, ready, 0, partition)
      else mix(this.#samples, window, dryGain, partition, ready)
    }
  }

  #addProduct(
    channel: number,
    place: number,
    spectrum: { readonly real: Float64Array; readonly imaginary: Float64Array },
    from: number,
    bins: number
  ): void {
    const aReal = this.#real[channel] as Float64Array
    const aImaginary = this.#imaginary[channel] as Float64Array
    const { real: bReal, imaginary: bImaginary } = spectrum
    const real = this.#sumReal
    const imaginary = this.#sumImaginary
    for (let k = 0; k < bins; k++) {
      const ar = aReal[place + k] as number
      const ai = aImaginary[place + k] as number
      const br = bReal[from + k] as number
      const bi = bImaginary[from + k] as number
      real[k] = (real[k] as number) + (ar * br - ai * bi)
      imaginary[k] = (imaginary[k] as number) + (ar * bi + ai * br)
    }
  }
}

function copy(from: Float64Array, start: number, to: Float64Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) to[at + i] = from[start + i] as number
}

function mix(wet: Float64Array, dry: Float64Array, dryGain: number, partition: number, out: Float64Array): void {
  for (let i = 0; i < partition; i++) {
    out[i] = (wet[partition + i] as number) + (dry[partition + i] as number) * dryGain
  }
}
