import type { FrameRange } from '../audio-format.ts'
import { planarBlock } from './carried-stream.ts'
import { BLOCK_FRAMES, type FrameStream } from './effect.ts'
import { placeOf, type ResampleRatio } from './resample-ratio.ts'
import { sumTaps, sumTapsOfTwo, type TapPlaces } from './resample-sums.ts'
import { interpolateTaps, type ResampleTaps } from './resample-taps.ts'

/** Output frames whose taps are interpolated at once. */
const INTERPOLATED_FRAMES = 16

/** A range of a resampled signal: each output frame is the sum of its taps times the input frames around it. */
export class ResampleStream implements FrameStream {
  readonly channels: number
  readonly #taps: ResampleTaps
  readonly #ratio: ResampleRatio
  readonly #input: FrameStream
  /** Next frame to read, and the end of what there is. */
  #inputNext: number
  readonly #inputEnd: number
  /** [channels] input frames from {@link ResampleStream.#heldStart} on; silence before the input and behind it. */
  readonly #held: readonly Float64Array[]
  readonly #block: readonly Float64Array[]
  /** Taps of the frames at hand, where they are interpolated. */
  readonly #interpolated: Float64Array
  /** Of the frames at hand: where each one's taps begin in the table, and its input frames among the held. */
  readonly #places: TapPlaces
  #heldStart: number
  #heldCount = 0
  /** Place of the next output frame. */
  #frame: number
  #phase: number

  /**
   * @param range of the output
   * @param inputRange that `input` streams
   */
  constructor(taps: ResampleTaps, ratio: ResampleRatio, range: FrameRange, input: FrameStream, inputRange: FrameRange) {
    const place = placeOf(ratio, range.start)
    this.channels = input.channels
    this.#taps = taps
    this.#ratio = ratio
    this.#input = input
    this.#inputNext = inputRange.start
    this.#inputEnd = inputRange.end
    this.#held = Array.from({ length: input.channels }, () => new Float64Array(taps.length + BLOCK_FRAMES))
    this.#block = planarBlock(input.channels)
    this.#interpolated = new Float64Array(taps.phases === 0 ? 0 : INTERPOLATED_FRAMES * taps.length)
    this.#places = {
      table: taps.phases === 0 ? taps.table : this.#interpolated,
      rows: new Int32Array(BLOCK_FRAMES),
      starts: new Int32Array(BLOCK_FRAMES),
      length: taps.length
    }
    this.#frame = place.frame
    this.#phase = place.phase
    this.#heldStart = place.frame - taps.length / 2 + 1
  }

  read(out: readonly Float64Array[], count: number): void {
    for (let done = 0; done < count; ) {
      const first = this.#firstTap()
      if (first + this.#taps.length > this.#heldStart + this.#heldCount) this.#hold(first)
      const ready = this.#place(count - done)
      this.#sum(out, done, ready)
      done += ready
    }
  }

  /** Sums taps for `count` placed output frames: two channels at once, since they share the taps, and the last alone if odd. */
  #sum(out: readonly Float64Array[], done: number, count: number): void {
    const places = this.#places
    const held = this.#held
    let channel = 0
    for (; channel + 1 < held.length; channel += 2) {
      const [one, other] = [held[channel] as Float64Array, held[channel + 1] as Float64Array]
      sumTapsOfTwo(places, one, other, out[channel] as Float64Array, out[channel + 1] as Float64Array, done, count)
    }
    if (channel < held.length) {
      sumTaps(places, held[channel] as Float64Array, out[channel] as Float64Array, done, count)
    }
  }

  #firstTap(): number {
    return this.#frame - this.#taps.length / 2 + 1
  }

  /**
   * Notes rows and first input frames of the next output frames, and steps behind them: of as many as the held frames are
   * enough for, at most `count`, or {@link INTERPOLATED_FRAMES} where taps are interpolated. At least one is.
   * @returns of how many
   */
  #place(count: number): number {
    const { up, down } = this.#ratio
    const { length, phases } = this.#taps
    const { rows, starts } = this.#places
    const wholeStep = Math.floor(down / up)
    const phaseStep = down - wholeStep * up
    const lastStart = this.#heldCount - length
    const most = phases === 0 ? count : Math.min(count, INTERPOLATED_FRAMES)
    let start = this.#firstTap() - this.#heldStart
    let phase = this.#phase
    let ready = 0
    for (; ready < most && start <= lastStart; ready++) {
      if (phases !== 0) interpolateTaps(this.#taps, phase / up, this.#interpolated, ready * length)
      starts[ready] = start
      rows[ready] = (phases === 0 ? phase : ready) * length
      start += wholeStep
      phase += phaseStep
      if (phase >= up) {
        phase -= up
        start++
      }
    }
    this.#frame = start + this.#heldStart + length / 2 - 1
    this.#phase = phase
    return ready
  }

  /** Lets go of what is before `first`, and reads until its taps' frames are there, further where there is room. */
  #hold(first: number): void {
    // A step is shorter than the taps, so `first` is always held, or the next to be.
    const gone = first - this.#heldStart
    for (const samples of this.#held) samples.copyWithin(0, gone, this.#heldCount)
    this.#heldStart = first
    this.#heldCount -= gone
    while (this.#heldCount < this.#taps.length) this.#append()
  }

  /** One block more: silence before the input, what is left of the input, or silence behind it. */
  #append(): void {
    const next = this.#heldStart + this.#heldCount
    const room = Math.min(BLOCK_FRAMES, this.#taps.length + BLOCK_FRAMES - this.#heldCount)
    if (next < this.#inputNext || this.#inputNext === this.#inputEnd) {
      const silent = next < this.#inputNext ? Math.min(room, this.#inputNext - next) : room
      for (const samples of this.#held) samples.fill(0, this.#heldCount, this.#heldCount + silent)
      this.#heldCount += silent
      return
    }
    const count = Math.min(room, this.#inputEnd - this.#inputNext)
    this.#input.read(this.#block, count)
    for (let channel = 0; channel < this.#held.length; channel++) {
      append(this.#block[channel] as Float64Array, this.#held[channel] as Float64Array, this.#heldCount, count)
    }
    this.#inputNext += count
    this.#heldCount += count
  }
}

function append(from: Float64Array, to: Float64Array, at: number, count: number): void {
  for (let i = 0; i < count; i++) to[at + i] = from[i] as number
}
