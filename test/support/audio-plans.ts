import type { FrameRange, SampleEncoding } from '../../src/tasks/wav/audio-format.ts'
import { formatChain } from '../../src/tasks/wav/chain/format-chain.ts'
import { parseChain } from '../../src/tasks/wav/chain/parse-chain.ts'
import { planSegments } from '../../src/tasks/wav/plan-segments.ts'
import { SampleDecoder } from '../../src/tasks/wav/samples/decode-samples.ts'
import { SampleEncoder } from '../../src/tasks/wav/samples/encode-samples.ts'
import type { SegmentGrid, SegmentRun } from '../../src/tasks/wav/segments/segment-grid.ts'
import {
  type EncodedAudio,
  encodePlan,
  frameBytes,
  type ImpulseAudio,
  type WavPlan
} from '../../src/tasks/wav/wav-plan.ts'

/** What a plan for a test is made of. */
export interface PlanParts {
  readonly chain: string
  readonly source?: Partial<EncodedAudio>
  readonly output?: SampleEncoding
  readonly dither?: boolean
  readonly impulses?: readonly ImpulseAudio[]
}

/** Three and a half seconds of stereo at 8 kHz, which is four segments of most chains. */
export const SHORT: EncodedAudio = { sampleRate: 8000, channels: 2, frames: 28_123, encoding: 'f32' }

/** Plans a job as `submit` does; floats in and out unless told otherwise. */
export function wavPlanOf({ chain, dither = false, impulses = [], output = 'f32', source }: PlanParts): WavPlan {
  const audio = { ...SHORT, ...source }
  const frame = { source: audio, chain: formatChain(parseChain(chain)), output: { encoding: output, dither }, impulses }
  return { ...frame, segmentFrames: planSegments(frame) }
}

/** {@link wavPlanOf} as kernels get it. */
export function wavParamsOf(parts: PlanParts): Uint8Array {
  return encodePlan(wavPlanOf(parts))
}

/** Samples as they lie in a file. @param samples [channels][frames], full scale ±1 */
export function encodeAudio(samples: readonly Float64Array[], encoding: SampleEncoding): Uint8Array {
  const frames = samples[0]?.length ?? 0
  const bytes = new Uint8Array(frames * frameBytes({ channels: samples.length, encoding }))
  new SampleEncoder(encoding, samples.length, { dither: false }).encode(samples, frames, 0, bytes, 0)
  return bytes
}

/** Samples of a file: [channels][frames], full scale ±1. */
export function decodeAudio(bytes: Uint8Array, audio: Pick<EncodedAudio, 'channels' | 'encoding'>): Float64Array[] {
  const frames = bytes.byteLength / frameBytes(audio)
  const samples = Array.from({ length: audio.channels }, () => new Float64Array(frames))
  new SampleDecoder(audio.encoding, audio.channels).decode(bytes, 0, frames, samples)
  return samples
}

/** Bytes of frames. */
export function cutFrames(bytes: Uint8Array, audio: EncodedAudio, { start, end }: FrameRange): Uint8Array {
  return bytes.subarray(start * frameBytes(audio), end * frameBytes(audio))
}

/** Cuts all passes into runs. @param counts segments of each run, repeated; a pass's end ends a run */
export function runsOf(grid: SegmentGrid, counts: readonly number[]): SegmentRun[] {
  const runs: SegmentRun[] = []
  for (let pass = 0; pass < grid.passCount; pass++) {
    for (let first = 0; first < grid.segmentCount(pass); ) {
      const count = Math.min(counts[runs.length % counts.length] ?? 1, grid.segmentCount(pass) - first)
      runs.push({ pass, first, count })
      first += count
    }
  }
  return runs
}
