import type { CarryingKernel } from './carried-stream.ts'
import { DelayLine } from './delay-line.ts'
import { BLOCK_FRAMES } from './effect.ts'
import { ReverbNetworks } from './reverb-networks.ts'
import type { ReverbTuning } from './reverb-tuning.ts'

/** How channels, sides and delay lines of a reverb fit together. */
export interface ReverbPlan {
  readonly inputChannels: number
  readonly outputChannels: number
  /** Two where the sides differ: both hear the mean of all channels. One where each channel is a room of its own. */
  readonly sides: readonly ReverbTuning[]
  /** In frames. */
  readonly preDelay: number
  readonly isWetOnly: boolean
}

/** One signal that is heard, and where it comes out. */
interface Room {
  readonly preDelay: DelayLine
  /** By output channel, the network's index. */
  readonly targets: readonly (readonly [channel: number, network: number])[]
}

/** The reverb of all channels. Since it is linear, two sides that hear both channels need one network each, not two. */
export class ReverbKernel implements CarryingKernel {
  readonly inputChannels: number
  readonly channels: number
  readonly #dryGain: number
  readonly #rooms: readonly Room[]
  readonly #networks: ReverbNetworks
  readonly #mean = new Float64Array(BLOCK_FRAMES)

  constructor({ inputChannels, outputChannels, sides, preDelay, isWetOnly }: ReverbPlan) {
    this.inputChannels = inputChannels
    this.channels = outputChannels
    this.#dryGain = isWetOnly ? 0 : 1
    const [near, far] = sides
    if (near === undefined) throw new RangeError('a reverb needs the tuning of a side')
    const isWide = far !== undefined
    this.#networks = new ReverbNetworks(isWide ? [near, far] : new Array(inputChannels).fill(near))
    this.#rooms = Array.from({ length: isWide ? 1 : inputChannels }, (_, room) => {
      const targets: Room['targets'] = isWide
        ? [
            [0, 0],
            [1, 1]
          ]
        : [[room, room]]
      return { preDelay: new DelayLine(preDelay), targets }
    })
  }

  advance(input: readonly Float64Array[], output: readonly Float64Array[], at: number, count: number): void {
    const isMean = this.#rooms.length < input.length
    if (isMean) meanOf(input[0] as Float64Array, input[1] as Float64Array, this.#mean, count)
    for (const [index, { preDelay, targets }] of this.#rooms.entries()) {
      const heard = isMean ? this.#mean : (input[index] as Float64Array)
      preDelay.exchange(heard, this.#networks.input, 0, count)
      for (const [channel, network] of targets) {
        const wet = this.#networks.advance(network, count)
        const dry = input[Math.min(channel, input.length - 1)] as Float64Array
        mix(this.#dryGain, dry, wet, output[channel] as Float64Array, at, count)
      }
    }
  }

  settle(): void {
    this.#networks.settle()
  }
}

function meanOf(left: Float64Array, right: Float64Array, mean: Float64Array, count: number): void {
  for (let i = 0; i < count; i++) mean[i] = ((left[i] as number) + (right[i] as number)) * 0.5
}

function mix(
  dryGain: number,
  dry: Float64Array,
  wet: Float64Array,
  out: Float64Array,
  at: number,
  count: number
): void {
  for (let i = 0; i < count; i++) out[at + i] = (wet[i] as number) + (dry[i] as number) * dryGain
}
