// Owns the one instance of the WebAssembly loops of this thread and its scratch memory. Whoever calls a loop puts samples in
// before and takes them out behind it: between calls nothing in there is anyone's.
import { CHANNELS_MAX } from '../../audio-format.ts'
import { BLOCK_FRAMES } from '../../effects/effect.ts'
import { LOOPS_WASM_BASE64 } from './loops-wasm.ts'

/** Exports of the module; addresses in bytes. @see assembly/ */
interface LoopExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  weighPair(left: number, right: number, from: number, until: number, filter: number, state: number): void
  raisePeak(window: number, from: number, until: number, filter: number, positions: number, peak: number): number
  raiseLevels(window: number, count: number, levels: number, filter: number, positions: number, ceiling: number): number
  raiseToMagnitudes(levels: number, samples: number, count: number): void
  turnIntoGains(levels: number, count: number, law: number, reduction: number): number
  scale(samples: number, factor: number, count: number): void
  turnIntoReductions(levels: number, ceiling: number, count: number): void
  reduce(samples: number, reductions: number, ceiling: number, count: number): void
  multiply(samples: number, gains: number, count: number): void
  log2Of(x: number): number
  exp2Negative(x: number): number
  quantize(
    samples: number,
    count: number,
    full: number,
    steps: number,
    isDithered: boolean,
    low: number,
    key: number
  ): number
  interleave16(left: number, right: number, count: number, out: number): void
  interleaveF32(left: number, right: number, count: number, out: number): void
  deinterleave16(from: number, count: number, left: number, right: number): void
  deinterleaveF32(from: number, count: number, left: number, right: number): number
}

// No library that is loaded here types it; every engine has it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

/** Frames before a block that a window holds as well. */
export const WINDOW_HISTORY = 24
/** Numbers of the state of two channels in `weighPair`. */
export const PAIR_STATE_LENGTH = 22

const SAMPLE_BYTES = 8
/** Loops touch a few samples behind a block. */
const SPARE_BYTES = 64
const WINDOW_BYTES = (WINDOW_HISTORY + BLOCK_FRAMES) * SAMPLE_BYTES + SPARE_BYTES
/** Where things lie; the stub runtime's own words lie below. */
const PARAMETERS = 1024
const PARAMETER_COUNT = 128
const STATES = PARAMETERS + PARAMETER_COUNT * SAMPLE_BYTES
const LEVELS = STATES + (CHANNELS_MAX / 2) * PAIR_STATE_LENGTH * SAMPLE_BYTES
const STEPS = LEVELS + BLOCK_FRAMES * SAMPLE_BYTES + SPARE_BYTES
const STEPS_BYTES = BLOCK_FRAMES * 4 + SPARE_BYTES
const BYTES = STEPS + 2 * STEPS_BYTES
const BYTES_LENGTH = 2 * BLOCK_FRAMES * 4
const WINDOWS = BYTES + BYTES_LENGTH + SPARE_BYTES

/** The loops over samples that are worth WebAssembly, with the scratch memory that they work on. */
export class SampleLoops {
  readonly run: LoopExports
  /** [128] coefficients, at {@link SampleLoops.parametersAt}. */
  readonly parameters: Float64Array
  readonly parametersAt = PARAMETERS
  /** [16 pairs][{@link PAIR_STATE_LENGTH}] */
  readonly states: Float64Array
  /** [BLOCK_FRAMES], at {@link SampleLoops.levelsAt}. */
  readonly levels: Float64Array
  readonly levelsAt = LEVELS
  /** Two of [BLOCK_FRAMES], at {@link SampleLoops.stepsAt}. */
  readonly steps: readonly Int32Array[]
  /** [8 · BLOCK_FRAMES] frames of two channels, at {@link SampleLoops.bytesAt}. */
  readonly bytes: Uint8Array
  readonly bytesAt = BYTES
  /** [CHANNELS_MAX][WINDOW_HISTORY + BLOCK_FRAMES] */
  readonly windows: readonly Float64Array[]
  /** [CHANNELS_MAX][WINDOW_HISTORY] what lies before each block; the same memory as the windows. */
  readonly histories: readonly Float64Array[]
  /** [CHANNELS_MAX][BLOCK_FRAMES], at {@link SampleLoops.blockAt}; the same memory as the windows. */
  readonly blocks: readonly Float64Array[]

  constructor() {
    const bytes = Uint8Array.from(atob(LOOPS_WASM_BASE64), (char) => char.charCodeAt(0))
    this.run = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as LoopExports
    const { buffer } = this.run.memory
    this.parameters = new Float64Array(buffer, PARAMETERS, PARAMETER_COUNT)
    this.states = new Float64Array(buffer, STATES, (CHANNELS_MAX / 2) * PAIR_STATE_LENGTH)
    this.levels = new Float64Array(buffer, LEVELS, BLOCK_FRAMES)
    this.steps = [0, 1].map((slot) => new Int32Array(buffer, this.stepsAt(slot), BLOCK_FRAMES))
    this.bytes = new Uint8Array(buffer, BYTES, BYTES_LENGTH)
    const channels = Array.from({ length: CHANNELS_MAX }, (_, channel) => channel)
    const windowAt = (channel: number) => this.blockAt(channel) - WINDOW_HISTORY * SAMPLE_BYTES
    this.windows = channels.map((each) => new Float64Array(buffer, windowAt(each), WINDOW_HISTORY + BLOCK_FRAMES))
    this.histories = channels.map((each) => new Float64Array(buffer, windowAt(each), WINDOW_HISTORY))
    this.blocks = channels.map((each) => new Float64Array(buffer, this.blockAt(each), BLOCK_FRAMES))
  }

  /** Address of a channel's block. */
  blockAt(channel: number): number {
    return WINDOWS + channel * WINDOW_BYTES + WINDOW_HISTORY * SAMPLE_BYTES
  }

  /** Address of the state of two channels. */
  stateAt(pair: number): number {
    return STATES + pair * PAIR_STATE_LENGTH * SAMPLE_BYTES
  }

  /** Address of steps, slot 0 or 1. */
  stepsAt(slot: number): number {
    return STEPS + slot * STEPS_BYTES
  }

  /** Puts a block behind the last frames of a channel before it, and notes its own last frames for the next. */
  putBehind(history: Float64Array, channel: number, samples: Float64Array, start: number, count: number): void {
    const window = this.windows[channel] as Float64Array
    window.set(history)
    copyFrames(samples, start, count, this.blocks[channel] as Float64Array, 0)
    for (let i = 0; i < WINDOW_HISTORY; i++) history[i] = window[count + i] as number
  }
}

let instance: SampleLoops | undefined

/** The loops of this thread. */
export function sampleLoops(): SampleLoops {
  instance ??= new SampleLoops()
  return instance
}

/** Copies `count` samples from index `start` of one array to index `at` of another. */
export function copyFrames(from: Float64Array, start: number, count: number, to: Float64Array, at: number): void {
  to.set(start === 0 && count === from.length ? from : from.subarray(start, start + count), at)
}
