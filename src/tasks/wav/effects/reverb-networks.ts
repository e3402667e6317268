// Owns one instance of the WebAssembly network, whose memory holds all delay lines of a stream; the stream drives it.

import { STATE_FLOOR } from './carried-stream.ts'
import { BLOCK_FRAMES } from './effect.ts'
import { NETWORK_WASM_BASE64 } from './reverb/network-wasm.ts'
import { ALL_PASSES, COMBS, type ReverbTuning } from './reverb-tuning.ts'

/** Exports of the module; addresses in bytes. @see reverb/assembly/network.ts */
interface NetworkExports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  advance(
    network: number,
    input: number,
    wet: number,
    count: number,
    gain: number,
    feedback: number,
    damping: number
  ): void
  peakOf(from: number, count: number): number
  meanOf(left: number, right: number, mean: number, count: number): void
  mix(wet: number, dry: number, gain: number, count: number): void
  /** 1 when all is 0 then. */
  flush(from: number, to: number, floor: number): number
}

// No library that is loaded here types it; every engine has it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

const SAMPLE_BYTES = 8
const PAGE_BYTES = 65_536
const LINES = COMBS + ALL_PASSES
/** As in network.ts: low-passes, then lines. */
const TABLE_BYTES = COMBS * SAMPLE_BYTES
const NETWORK_BYTES = TABLE_BYTES + 12 * LINES
const BLOCK_BYTES = BLOCK_FRAMES * SAMPLE_BYTES
/** Where things lie: blocks of input, of output and two of dry signal, then networks. The stub runtime's own words lie below. */
const INPUT = 1024
const WET = INPUT + BLOCK_BYTES
const DRY = WET + BLOCK_BYTES
const NETWORKS = DRY + 2 * BLOCK_BYTES
/** Input below this cannot keep the loops from decaying. */
const QUIET = 1e-20

interface Network {
  readonly tuning: ReverbTuning
  readonly address: number
  readonly end: number
  /** Greatest input since the last settling. */
  peak: number
  isSilent: boolean
}

let compiled: object | undefined

/**
 * Reverb networks, each one side of a room: eight loops beside each other, each with a low-pass in it, and four all-passes
 * behind their sum. A loop is y[n] = w[n − L], d[n] = (1 − damping) · y[n] + damping · d[n−1],
 * w[n] = gain · x[n] + feedback · d[n]; an all-pass is y[n] = w[n − L] − x[n], w[n] = x[n] + w[n − L] / 2.
 */
export class ReverbNetworks {
  /** [BLOCK_FRAMES] what the networks hear next; written by the caller. */
  readonly input: Float64Array
  /** [BLOCK_FRAMES] what {@link ReverbNetworks.advance} gave last. */
  readonly wet: Float64Array
  /** Two of [BLOCK_FRAMES]: what is heard beside the reverberation; written by the caller. */
  readonly dry: readonly Float64Array[]
  readonly #exports: NetworkExports
  readonly #networks: readonly Network[]

  constructor(tunings: readonly ReverbTuning[]) {
    compiled ??= new WebAssembly.Module(Uint8Array.from(atob(NETWORK_WASM_BASE64), (char) => char.charCodeAt(0)))
    this.#exports = new WebAssembly.Instance(compiled).exports as NetworkExports
    let address = NETWORKS
    this.#networks = tunings.map((tuning) => {
      const network = { tuning, address, end: address + bytesOf(tuning), peak: 0, isSilent: true }
      address = network.end
      return network
    })
    const { memory } = this.#exports
    const missing = Math.ceil((address - memory.buffer.byteLength) / PAGE_BYTES)
    if (missing > 0) memory.grow(missing)
    for (const network of this.#networks) layOut(memory.buffer, network)
    this.input = new Float64Array(memory.buffer, INPUT, BLOCK_FRAMES)
    this.wet = new Float64Array(memory.buffer, WET, BLOCK_FRAMES)
    this.dry = [DRY, DRY + BLOCK_BYTES].map((at) => new Float64Array(memory.buffer, at, BLOCK_FRAMES))
  }

  /** Whether a network's state is exactly 0. */
  isSilent(index: number): boolean {
    return this.#network(index).isSilent
  }

  /** Makes {@link ReverbNetworks.input} the mean of both dry signals. */
  hearMean(count: number): void {
    this.#exports.meanOf(DRY, DRY + BLOCK_BYTES, INPUT, count)
  }

  /** Adds a dry signal times `gain` to {@link ReverbNetworks.wet}. @param slot 0 or 1 */
  mixDry(slot: number, gain: number, count: number): void {
    this.#exports.mix(WET, DRY + slot * BLOCK_BYTES, gain, count)
  }

  /**
   * Lets a network hear {@link ReverbNetworks.input}.
   * @param count frames, 1 to {@link BLOCK_FRAMES}
   * @returns {@link ReverbNetworks.wet}: the reverberation alone
   */
  advance(index: number, count: number): Float64Array {
    const network = this.#network(index)
    const peak = this.#exports.peakOf(INPUT, count)
    if (peak > network.peak) network.peak = peak
    if (network.isSilent && peak === 0) return this.wet.fill(0, 0, count)
    network.isSilent = false
    const { gain, feedback, damping } = network.tuning
    this.#exports.advance(network.address, INPUT, WET, count, gain, feedback, damping)
    return this.wet
  }

  /** Flushes state that has decayed below {@link STATE_FLOOR} to 0; only behind quiet input, since it costs a scan. */
  settle(): void {
    for (const network of this.#networks) {
      const isQuiet = network.peak < QUIET
      network.peak = 0
      if (!isQuiet || network.isSilent) continue
      const lines = network.address + NETWORK_BYTES
      const isDamped = this.#exports.flush(network.address, network.address + TABLE_BYTES, STATE_FLOOR) === 1
      network.isSilent = this.#exports.flush(lines, network.end, STATE_FLOOR) === 1 && isDamped
    }
  }

  #network(index: number): Network {
    const network = this.#networks[index]
    if (network === undefined) throw new RangeError(`there is no network ${index}`)
    return network
  }
}

function bytesOf({ combLengths, allPassLengths }: ReverbTuning): number {
  const frames = [...combLengths, ...allPassLengths].reduce((sum, length) => sum + length, 0)
  return NETWORK_BYTES + frames * SAMPLE_BYTES
}

function layOut(buffer: ArrayBuffer, { tuning, address }: Network): void {
  const table = new Uint32Array(buffer, address + TABLE_BYTES, 3 * LINES)
  let start = address + NETWORK_BYTES
  for (const [line, length] of [...tuning.combLengths, ...tuning.allPassLengths].entries()) {
    const end = start + length * SAMPLE_BYTES
    table.set([start, end, start], 3 * line)
    start = end
  }
}
