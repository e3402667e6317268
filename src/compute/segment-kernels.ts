import { SwarmError } from '../errors.ts'
import type { SegmentKernel } from '../tasks/task-kind.ts'
import { silence, voice, wav } from '../tasks/wav/audio-kinds.ts'
import { silenceKernel } from '../tasks/wav/silence.ts'
import { wavKernel } from '../tasks/wav/wav.ts'
import { voiceKernel } from './voice-kernel.ts'

const KERNELS: ReadonlyMap<string, SegmentKernel> = new Map([
  [wav.kind, wavKernel],
  [silence.kind, silenceKernel],
  [voice.kind, voiceKernel]
])

/** What computes segments of a kind. @throws SwarmError KERNEL_FAILED when there is nothing that does */
export function segmentKernel(kind: string): SegmentKernel {
  const kernel = KERNELS.get(kind)
  if (kernel !== undefined) return kernel
  throw new SwarmError('KERNEL_FAILED', `there is no kernel for segments of ${JSON.stringify(kind)}`)
}
