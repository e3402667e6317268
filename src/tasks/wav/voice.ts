import type { FrameRange } from './audio-format.ts'
import { RecentPlans } from './segments/recent-plans.ts'
import { SegmentGrid, type SegmentRun } from './segments/segment-grid.ts'
import type { PassAudio, SegmentJob } from './segments/segment-job.ts'
import { VoiceResampler } from './silence/voice-resample.ts'
import { VOICE_SEGMENT_WINDOWS, voiceInputRange, voiceWindowCount } from './silence/voice-windows.ts'
import { parseVoicePlan, type VoicePlan } from './wav-plan.ts'

/** Where everything of a voice job lies. */
export class VoicePass implements SegmentJob {
  readonly plan: VoicePlan
  readonly grid: SegmentGrid
  readonly #resampler: VoiceResampler

  constructor(plan: VoicePlan) {
    this.plan = plan
    this.#resampler = new VoiceResampler(plan.source.sampleRate)
    const segmentCount = Math.ceil(voiceWindowCount(plan.source) / VOICE_SEGMENT_WINDOWS)
    const reportBytes = (index: number) => {
      const { start, end } = this.windows({ first: index, count: 1 })
      return end - start
    }
    this.grid = new SegmentGrid([{ segmentCount, audioBytes: () => 0, reportBytes }])
  }

  /** Windows of a run of segments. */
  windows({ first, count }: Pick<SegmentRun, 'first' | 'count'>): FrameRange {
    return {
      start: first * VOICE_SEGMENT_WINDOWS,
      end: Math.min((first + count) * VOICE_SEGMENT_WINDOWS, voiceWindowCount(this.plan.source))
    }
  }

  pass(): PassAudio {
    return { input: this.plan.source, inputPass: undefined, output: undefined, needsSummary: false, impulses: [] }
  }

  inputRanges(run: SegmentRun): readonly FrameRange[] {
    return [voiceInputRange(this.plan.source, this.windows(run), this.#resampler)]
  }
}

const recent = new RecentPlans((params) => new VoicePass(parseVoicePlan(params)))

/** @throws SwarmError PARAMS_INVALID */
export function voicePassOf(params: Uint8Array): VoicePass {
  return recent.of(params)
}
