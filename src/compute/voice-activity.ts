import type { AudioShape, FrameRange } from '../tasks/wav/audio-format.ts'
import { VoiceResampler } from '../tasks/wav/silence/voice-resample.ts'
import {
  firstVoiceWindow,
  VOICE_RATE,
  VOICE_SEGMENT_WINDOWS,
  VOICE_WARM_UP_WINDOWS,
  VOICE_WINDOW,
  voiceInputRange,
  voiceWindowCount
} from '../tasks/wav/silence/voice-windows.ts'
import { createDetector, type PackageFinder, type VoiceDetector } from './voice-activity-package.ts'

const SEGMENT_SECONDS = ((VOICE_SEGMENT_WINDOWS + VOICE_WARM_UP_WINDOWS) * VOICE_WINDOW) / VOICE_RATE
/** Frames that are waiting for the next window at most, beside those that it is made of. */
const SLACK_FRAMES = 4096

/**
 * Tells for each window of a range whether somebody speaks, with the silero model. Owns a detector of the package; whoever
 * owns it feeds it {@link voiceInputRange} once, in order, in a thread of its own.
 */
export class VoiceActivity {
  readonly #channels: number
  readonly #windows: FrameRange
  readonly #inputEnd: number
  readonly #resampler: VoiceResampler
  readonly #detector: VoiceDetector
  readonly #flags: Uint8Array<ArrayBuffer>
  /** Mono frames from `#first` on; `#held` of them. */
  readonly #frames: Float64Array
  #first: number
  #held: number
  /** The last windows, to warm up the next segment with: [windows][samples]. */
  readonly #past: Float32Array[]
  #window: number

  /**
   * @param shape of the whole audio
   * @param windows of {@link voiceWindowCount}, `start` up to, but without, `end`; whole segments cost least
   * @throws SwarmError VAD_MISSING. @throws RangeError when the range is not within the audio
   */
  constructor(shape: AudioShape, windows: FrameRange, find?: PackageFinder) {
    if (windows.start < 0 || windows.start > windows.end || windows.end > voiceWindowCount(shape)) {
      throw new RangeError(`there are ${voiceWindowCount(shape)} windows, but got ${windows.start} to ${windows.end}`)
    }
    this.#detector = createDetector(Math.ceil(SEGMENT_SECONDS) + 1, find)
    this.#channels = shape.channels
    this.#windows = windows
    this.#inputEnd = voiceInputRange(shape, windows).end
    this.#resampler = new VoiceResampler(shape.sampleRate)
    this.#flags = new Uint8Array(windows.end - windows.start)
    this.#window = firstVoiceWindow(windows)
    const first = this.#framesOf(this.#window)
    this.#frames = new Float64Array(first.end - first.start + SLACK_FRAMES)
    this.#first = first.start
    // Before the audio there is silence.
    this.#held = Math.max(0, Math.min(-first.start, first.end - first.start))
    this.#past = Array.from({ length: VOICE_WARM_UP_WINDOWS }, () => new Float32Array(VOICE_WINDOW))
  }

  /**
   * Takes the next frames.
   * @param block [channels][≥ count] samples, full scale ±1
   * @throws RangeError when they go beyond the input range
   */
  feed(block: readonly Float64Array[], count: number): void {
    if (this.#first + this.#held + count > this.#inputEnd) {
      throw new RangeError(`the input ends at frame ${this.#inputEnd}, but ${this.#first + this.#held + count} came`)
    }
    for (let done = 0; done < count; ) {
      const take = Math.min(count - done, this.#frames.length - this.#held)
      mixDown(block, done, take, this.#channels, this.#frames, this.#held)
      this.#held += take
      done += take
      this.#consume()
    }
  }

  /**
   * @returns a byte for each window: 1 where somebody speaks, else 0
   * @throws RangeError when frames of the input are missing
   */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#first + this.#held < this.#inputEnd) {
      throw new RangeError(`the input ends at frame ${this.#inputEnd}, but only ${this.#first + this.#held} came`)
    }
    while (this.#window < this.#windows.end) {
      // Behind the audio there is silence.
      this.#frames.fill(0, this.#held)
      this.#held = this.#frames.length
      this.#consume()
    }
    return this.#flags
  }

  #consume(): void {
    while (this.#window < this.#windows.end) {
      const needed = this.#framesOf(this.#window)
      if (this.#first + this.#held < needed.end) break
      const samples = this.#past[this.#window % VOICE_WARM_UP_WINDOWS] as Float32Array
      if (this.#window % VOICE_SEGMENT_WINDOWS === 0) this.#startSegment()
      for (let index = 0; index < VOICE_WINDOW; index += 1) {
        samples[index] = this.#resampler.sample(this.#window * VOICE_WINDOW + index, this.#frames, this.#first)
      }
      const speaks = this.#listen(samples)
      if (this.#window >= this.#windows.start) this.#flags[this.#window - this.#windows.start] = speaks ? 1 : 0
      this.#window += 1
    }
    const unneeded = Math.min(this.#held, Math.max(0, this.#framesOf(this.#window).start - this.#first))
    this.#frames.copyWithin(0, unneeded, this.#held)
    this.#first += unneeded
    this.#held -= unneeded
  }

  #startSegment(): void {
    this.#detector.reset()
    const start = Math.max(firstVoiceWindow(this.#windows), this.#window - VOICE_WARM_UP_WINDOWS)
    for (let window = start; window < this.#window; window += 1) {
      this.#listen(this.#past[window % VOICE_WARM_UP_WINDOWS] as Float32Array)
    }
  }

  #listen(samples: Float32Array): boolean {
    this.#detector.acceptWaveform(samples)
    while (!this.#detector.isEmpty()) this.#detector.pop()
    return this.#detector.isDetected()
  }

  #framesOf(window: number): FrameRange {
    return this.#resampler.framesOf({ start: window * VOICE_WINDOW, end: (window + 1) * VOICE_WINDOW })
  }
}

function mixDown(
  block: readonly Float64Array[],
  start: number,
  count: number,
  channels: number,
  target: Float64Array,
  offset: number
): void {
  target.fill(0, offset, offset + count)
  for (let channel = 0; channel < channels; channel += 1) {
    const samples = block[channel] as Float64Array
    for (let index = 0; index < count; index += 1) {
      target[offset + index] = (target[offset + index] as number) + (samples[start + index] as number) / channels
    }
  }
}
