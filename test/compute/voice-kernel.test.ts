import { expect, test } from 'vitest'
import { probeVoice } from '../../src/compute/voice-activity-package.ts'
import { voiceKernel } from '../../src/compute/voice-kernel.ts'
import { encodeHead } from '../../src/tasks/wav/segments/chunk-head.ts'
import { VOICE_RATE, VOICE_SEGMENT_WINDOWS, VOICE_WINDOW } from '../../src/tasks/wav/silence/voice-windows.ts'
import { voicePassOf } from '../../src/tasks/wav/voice.ts'
import { encodePlan } from '../../src/tasks/wav/wav-plan.ts'
import { cutFrames, encodeAudio } from '../support/audio-plans.ts'

/** Two segments and a half. */
const FRAMES = 2.5 * VOICE_SEGMENT_WINDOWS * VOICE_WINDOW
const source = { sampleRate: VOICE_RATE, channels: 1, frames: FRAMES, encoding: 'f32' } as const
const params = encodePlan({ source })
const call = { kind: 'voice', params, reverse: false }
const needsVoice = test.skipIf(!probeVoice().works)

/** All segments of silence, and the flags that they give. */
function silentChunk() {
  const pass = voicePassOf(params)
  const run = { pass: 0, first: 0, count: pass.grid.segmentCount(0) }
  const samples = encodeAudio([new Float64Array(FRAMES)], 'f32')
  const frames = pass.inputRanges(run).map((range) => cutFrames(samples, source, range))
  const input = Buffer.concat([encodeHead({ run }), ...frames])
  return { input, flags: voiceKernel.run(input, call) }
}

needsVoice('a check of voice passes what the kernel gives, and refuses a segment that is judged otherwise', () => {
  const { input, flags } = silentChunk()
  const verify = (result: Uint8Array, whole: boolean, random = () => 0.999) =>
    voiceKernel.verify(() => input, result, call, { whole, random })
  expect(verify(flags, true)).toBeUndefined()
  const wrong = flags.slice().fill(1, VOICE_SEGMENT_WINDOWS, 2 * VOICE_SEGMENT_WINDOWS)
  expect(verify(wrong, true)).toBe(
    `${VOICE_SEGMENT_WINDOWS} of ${VOICE_SEGMENT_WINDOWS} windows of segment 1 are judged otherwise here`
  )
  const drawsOnly = (position: number) => {
    let drawn = 0
    return () => (drawn++ === position ? 0 : 0.999)
  }
  expect(verify(wrong, false, drawsOnly(0))).toBeUndefined()
  expect(verify(wrong, false, drawsOnly(1))).toContain('segment 1')
})

needsVoice(
  'a check of voice looks at length and flags of every result, and at no more of the input than its head',
  () => {
    const { input, flags } = silentChunk()
    const head = input.subarray(0, 16 * 1024)
    const verify = (result: Uint8Array) =>
      voiceKernel.verify(() => head, result, call, { whole: false, random: () => 0.999 })
    expect(verify(flags)).toBeUndefined()
    expect(verify(flags.subarray(1))).toBe(`the result has ${flags.length - 1} flags instead of ${flags.length}`)
    expect(verify(flags.slice().fill(2, 5, 6))).toBe('a flag is neither 0 nor 1')
  }
)
