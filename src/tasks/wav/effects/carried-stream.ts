import type { AudioShape, FrameRange } from '../audio-format.ts'
import { BLOCK_FRAMES, type FrameStream, type PlannedEffect } from './effect.ts'

/** Magnitude below which state counts as 0: far below every sample format, far above denormal numbers. */
export const STATE_FLOOR = 1e-30

/** An effect at work: what it remembers of a signal, and the step that takes it on. */
export interface CarryingKernel {
  readonly inputChannels: number
  readonly channels: number
  /**
   * Takes the next frames and gives as many.
   * @param input [inputChannels][≥ count], from index 0
   * @param output [channels][≥ at + count], written from index `at`
   * @param count 1 to {@link BLOCK_FRAMES}
   */
  advance(input: readonly Float64Array[], output: readonly Float64Array[], at: number, count: number): void
  /** Flushes state below {@link STATE_FLOOR} to 0; called every {@link BLOCK_FRAMES} frames. */
  settle(): void
}

/** Where a stream begins. */
interface CarriedStart {
  /** What the input streams. */
  readonly inputRange: FrameRange
  /** First frame that the kernel takes; silence outside of `inputRange`. */
  readonly from: number
  /** Frames that the kernel gives before the first that is wanted: pre-roll and latency. */
  readonly discarded: number
}

/**
 * Frames of a signal from `before` frames before a range to `after` frames behind it, clipped to the signal.
 *
 * @param frames of the signal
 */
export function reachOf(range: FrameRange, before: number, after: number, frames: number): FrameRange {
  const start = Math.min(Math.max(range.start - before, 0), frames)
  if (range.end <= range.start) return { start, end: start }
  return { start, end: Math.min(Math.max(range.end + after, start), frames) }
}

/** What is the same in all effects that carry state: which input a range needs, and how its stream begins. */
export function carried(
  { frames }: Pick<AudioShape, 'frames'>,
  /** Frames that the kernel takes before the first that is right, and behind the last: pre-roll and latency. */
  { before, after = 0 }: { readonly before: number; readonly after?: number },
  makeKernel: () => CarryingKernel
): Pick<PlannedEffect, 'inputRange' | 'open'> {
  const inputRange = (range: FrameRange): FrameRange => reachOf(range, before, after, frames)
  return {
    inputRange,
    open(range, input) {
      const from = Math.max(range.start - before, 0)
      const start = { inputRange: inputRange(range), from, discarded: range.start - from + after }
      return new CarriedStream(makeKernel(), input, start)
    }
  }
}

/** Planar blocks of {@link BLOCK_FRAMES} frames. @returns [channels][BLOCK_FRAMES] */
export function planarBlock(channels: number): readonly Float64Array[] {
  return Array.from({ length: channels }, () => new Float64Array(BLOCK_FRAMES))
}

/**
 * What a kernel makes of a stream, in steps that end at multiples of {@link BLOCK_FRAMES} behind the first frame, so that
 * the size of reads changes no bit. The pre-roll runs when it is made.
 */
class CarriedStream implements FrameStream {
  readonly channels: number
  readonly #kernel: CarryingKernel
  readonly #input: FrameStream
  readonly #inputRange: FrameRange
  readonly #block: readonly Float64Array[]
  #frame: number
  #untilSettled = BLOCK_FRAMES

  constructor(kernel: CarryingKernel, input: FrameStream, start: CarriedStart) {
    this.channels = kernel.channels
    this.#kernel = kernel
    this.#input = input
    this.#inputRange = start.inputRange
    this.#block = planarBlock(kernel.inputChannels)
    this.#frame = start.from
    if (start.discarded === 0) return
    const ignored = planarBlock(kernel.channels)
    for (let left = start.discarded; left > 0; left -= BLOCK_FRAMES) this.read(ignored, Math.min(left, BLOCK_FRAMES))
  }

  read(out: readonly Float64Array[], count: number): void {
    for (let at = 0; at < count; ) {
      const step = Math.min(count - at, this.#untilSettled)
      this.#readInput(step)
      this.#kernel.advance(this.#block, out, at, step)
      at += step
      this.#untilSettled -= step
      if (this.#untilSettled > 0) continue
      this.#kernel.settle()
      this.#untilSettled = BLOCK_FRAMES
    }
  }

  #readInput(count: number): void {
    const { start, end } = this.#inputRange
    const first = this.#frame
    this.#frame = first + count
    const present = first >= start ? Math.min(count, end - first) : 0
    if (present > 0) this.#input.read(this.#block, present)
    if (present >= count) return
    for (const samples of this.#block) samples.fill(0, Math.max(present, 0), count)
  }
}
