import type { FrameRange } from '../audio-format.ts'
import type { SignalSummary } from '../effects/effect.ts'
import type { EncodedAudio, ImpulseAudio } from '../wav-plan.ts'
import type { SegmentGrid, SegmentRun } from './segment-grid.ts'

/** What a pass reads and gives. */
export interface PassAudio {
  readonly input: EncodedAudio
  /** The pass whose audio is the input; undefined: the job's source. */
  readonly inputPass: number | undefined
  /** Undefined when the pass gives reports alone. */
  readonly output: EncodedAudio | undefined
  /** Whether the chunks of the pass need a summary of what went before. */
  readonly needsSummary: boolean
  /** Impulse responses that the chunks of the pass bring along, in order. */
  readonly impulses: readonly ImpulseAudio[]
}

/** A job whose chunks are runs of segments of a signal: where everything lies, for submitter, sink and kernels alike. */
export interface SegmentJob {
  readonly grid: SegmentGrid
  pass(index: number): PassAudio
  /**
   * Frames of the pass's input that a run reads: one or two ranges, rising, that do not touch.
   * @param summary of what went before, where the pass needs one
   */
  inputRanges(run: SegmentRun, summary?: SignalSummary): readonly FrameRange[]
}
