import { copyFrames } from '../samples/loops/sample-loops.ts'
import type { CarryingKernel } from './carried-stream.ts'
import { DelayLine } from './delay-line.ts'
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
    const networks = this.#networks
    const isMean = this.#rooms.length < input.length
    for (const [index, { preDelay, targets }] of this.#rooms.entries()) {
      for (let slot = 0; slot <= (isMean ? 1 : 0); slot++) {
        copyFrames(input[index + slot] as Float64Array, 0, count, networks.dry[slot] as Float64Array, 0)
      }
      if (isMean) networks.hearMean(count)
      else networks.input.set(networks.dry[0] as Float64Array)
      preDelay.exchange(networks.input, networks.input, 0, count)
      for (const [channel, network] of targets) {
        const wet = networks.advance(network, count)
        if (this.#dryGain !== 0) networks.mixDry(isMean ? channel : 0, this.#dryGain, count)
        copyFrames(wet, 0, count, output[channel] as Float64Array, at)
      }
    }
  }

  settle(): void {
    this.#networks.settle()
  }
}
