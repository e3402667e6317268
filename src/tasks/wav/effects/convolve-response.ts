import { RealFft } from '../math/fft.ts'

const PARTITION_MIN = 512
const PARTITION_MAX = 32_768
/** Into at most about how many partitions a response is cut: with 16, 32 and 64 the products took ever longer (measured). */
const PARTITIONS_WANTED = 8

/** Frames of a partition, a power of two, for a response of a length. */
export function partitionFrames(responseFrames: number): number {
  let frames = PARTITION_MIN
  while (frames < PARTITION_MAX && frames * PARTITIONS_WANTED < responseFrames) frames *= 2
  return frames
}

/** Spectra of an impulse response's partitions, each followed by as many zeros. Made when first asked for, then shared. */
export class ConvolveResponse {
  /** Frames of one. */
  readonly partition: number
  readonly partitions: number
  readonly #samples: readonly Float64Array[]
  readonly #gain: number
  #spectra: readonly { readonly real: Float64Array; readonly imaginary: Float64Array }[] | undefined

  /**
   * @param samples [1 or as many channels as the signal][frames]
   * @param partition frames, a power of two
   */
  constructor(samples: readonly Float64Array[], partition: number, gain: number) {
    this.partition = partition
    this.partitions = Math.ceil((samples[0]?.length ?? 0) / partition)
    this.#samples = samples
    this.#gain = gain
  }

  /** Parts of a channel's spectra. @returns both [partitions × (partition + 1)] */
  spectrum(channel: number): { readonly real: Float64Array; readonly imaginary: Float64Array } {
    this.#spectra ??= this.#samples.map((samples) => this.#transform(samples))
    const spectra = this.#spectra
    const found = spectra[spectra.length === 1 ? 0 : channel]
    if (found === undefined) throw new RangeError(`the response has no channel ${channel}`)
    return found
  }

  #transform(samples: Float64Array): { real: Float64Array; imaginary: Float64Array } {
    const { partition, partitions } = this
    const bins = partition + 1
    const fft = new RealFft(2 * partition)
    const real = new Float64Array(partitions * bins)
    const imaginary = new Float64Array(partitions * bins)
    const padded = new Float64Array(2 * partition)
    for (let part = 0; part < partitions; part++) {
      padded.fill(0)
      const end = Math.min((part + 1) * partition, samples.length)
      for (let i = part * partition; i < end; i++) padded[i - part * partition] = (samples[i] as number) * this.#gain
      const from = part * bins
      fft.forward(padded, real.subarray(from, from + bins), imaginary.subarray(from, from + bins))
    }
    return { real, imaginary }
  }
}
