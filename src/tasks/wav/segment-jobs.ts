import { silence, voice, wav } from './audio-kinds.ts'
import type { SegmentJob } from './segments/segment-job.ts'
import { silencePassOf } from './silence.ts'
import { voicePassOf } from './voice.ts'
import { wavPassesOf } from './wav.ts'

/** Where the segments of a job lie. @throws SwarmError PARAMS_INVALID and others for parameters that make no sense */
export function segmentJob(kind: string, params: Uint8Array): SegmentJob {
  switch (kind) {
    case wav.kind:
      return wavPassesOf(params)
    case silence.kind:
      return silencePassOf(params)
    case voice.kind:
      return voicePassOf(params)
    default:
      throw new RangeError(`${kind} is no kind of segments`)
  }
}
