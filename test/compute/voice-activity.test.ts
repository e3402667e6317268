import { existsSync, readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { VoiceActivity } from '../../src/compute/voice-activity.ts'
import { createDetector, probeVoice } from '../../src/compute/voice-activity-package.ts'
import type { AudioShape, FrameRange } from '../../src/tasks/wav/audio-format.ts'
import { reduceVoice } from '../../src/tasks/wav/silence/voice-report.ts'
import { VoiceResampler } from '../../src/tasks/wav/silence/voice-resample.ts'
import {
  VOICE_RATE,
  VOICE_SEGMENT_WINDOWS,
  VOICE_WINDOW,
  voiceInputRange,
  voiceWindowCount
} from '../../src/tasks/wav/silence/voice-windows.ts'

/** "Go forward ten meters", raw 16-bit at 16 kHz: Debian's package pocketsphinx-testdata. */
const SPEECH = '/usr/share/pocketsphinx/test/data/goforward.raw'
const { works } = probeVoice()
const needsVoice = test.skipIf(!works)
const needsSpeech = test.skipIf(!works || !existsSync(SPEECH))

/** Three times the recording with five seconds of silence in front of each, and its windows' truth roughly known. */
function readSpeech(): Float64Array {
  const bytes = readFileSync(SPEECH)
  const once = Float64Array.from({ length: bytes.byteLength / 2 }, (_, index) => bytes.readInt16LE(index * 2) / 32_768)
  const samples = new Float64Array(3 * (5 * VOICE_RATE + once.length))
  for (let time = 0; time < 3; time += 1) samples.set(once, (time + 1) * 5 * VOICE_RATE + time * once.length)
  return samples
}

function shapeOf(samples: Float64Array, sampleRate: number, channels = 1): AudioShape {
  return { sampleRate, channels, frames: samples.length }
}

function detect(samples: Float64Array, shape: AudioShape, windows: FrameRange, blockFrames = 1024): Uint8Array {
  const voice = new VoiceActivity(shape, windows)
  const { start, end } = voiceInputRange(shape, windows)
  for (let frame = start; frame < end; frame += blockFrames) {
    const block = samples.subarray(frame, Math.min(end, frame + blockFrames))
    voice.feed(
      Array.from({ length: shape.channels }, () => block),
      block.length
    )
  }
  return voice.finish()
}

describe('VoiceActivity', () => {
  needsSpeech('finds speech between silences (needs sherpa-onnx-node and pocketsphinx-testdata)', () => {
    const samples = readSpeech()
    const shape = shapeOf(samples, VOICE_RATE)
    const flags = detect(samples, shape, { start: 0, end: voiceWindowCount(shape) })
    const { speech } = reduceVoice(shape, VOICE_WINDOW / VOICE_RATE, [flags])
    expect(speech).toHaveLength(3)
    for (const [index, { start, end }] of speech.entries()) {
      const begins = (index + 1) * 5 + (index * (samples.length / VOICE_RATE - 15)) / 3
      expect(start - begins).toBeGreaterThan(0.2)
      expect(start - begins).toBeLessThan(0.8)
      expect(end - begins).toBeGreaterThan(2)
      expect(end - begins).toBeLessThan(2.9)
    }
  })

  needsSpeech('gives the same flags whatever the ranges and blocks (needs both packages)', () => {
    const once = readSpeech()
    const samples = new Float64Array(once.length * 2)
    samples.set(once)
    samples.set(once, once.length)
    const shape = shapeOf(samples, 22_050)
    const count = voiceWindowCount(shape)
    expect(count).toBeGreaterThan(VOICE_SEGMENT_WINDOWS)
    const whole = detect(samples, shape, { start: 0, end: count })
    const cuts = [0, 1, 300, VOICE_SEGMENT_WINDOWS - 1, VOICE_SEGMENT_WINDOWS + 50, count]
    const parts = cuts.slice(1).map((end, index) => detect(samples, shape, { start: cuts[index] as number, end }, 333))
    expect(Buffer.concat(parts).equals(whole)).toBe(true)
  })

  needsVoice('takes silence for silence at any rate, in any number of channels (needs sherpa-onnx-node)', () => {
    for (const [sampleRate, channels, frames] of [
      [8_000, 1, 12_345],
      [44_100, 2, 50_000],
      [384_000, 3, 500_001]
    ] as const) {
      const shape = shapeOf(new Float64Array(frames), sampleRate, channels)
      const count = voiceWindowCount(shape)
      expect(detect(new Float64Array(frames), shape, { start: 0, end: count })).toEqual(new Uint8Array(count))
    }
  })

  needsVoice(
    'refuses ranges beyond the audio, and frames that are too many or too few (needs sherpa-onnx-node)',
    () => {
      const shape = { sampleRate: VOICE_RATE, channels: 1, frames: 5 * VOICE_WINDOW }
      expect(() => new VoiceActivity(shape, { start: 0, end: 6 })).toThrow(RangeError)
      const voice = new VoiceActivity(shape, { start: 0, end: 5 })
      expect(() => voice.feed([new Float64Array(3000)], 3000)).toThrow(RangeError)
      voice.feed([new Float64Array(100)], 100)
      expect(() => voice.finish()).toThrow(RangeError)
    }
  )

  needsVoice('runs in a thread of its own (needs sherpa-onnx-node)', async () => {
    const code = `import(${JSON.stringify(new URL('../../src/compute/voice-activity-package.ts', import.meta.url).href)})
      .then(({ probeVoice }) => require('node:worker_threads').parentPort.postMessage(probeVoice().works))`
    const worker = new Worker(code, { eval: true })
    try {
      expect(await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))).toBe(true)
    } finally {
      await worker.terminate()
    }
  })
})

describe('createDetector', () => {
  const absent = Object.assign(
    () => {
      throw new Error('not here')
    },
    {
      resolve: (name: string): string => {
        throw new Error(`Cannot find module '${name}'\nRequire stack: …`)
      }
    }
  )

  test('says which packages are missing and how to add them', () => {
    expect(() => createDetector(1, absent)).toThrow(expect.objectContaining({ code: 'VAD_MISSING', exitCode: 2 }))
    expect(() => createDetector(1, absent)).toThrow(/Cannot find module '@jjhbw\/silero-vad'\. Where.*npm install/)
    expect(probeVoice(absent)).toMatchObject({ works: false })
  })
})

describe('VoiceResampler', () => {
  test.each([8_000, 11_025, 16_000, 44_100, 44_101, 48_000, 384_000])(
    'keeps a tone of 1 kHz at %i Hz',
    (sampleRate) => {
      const resampler = new VoiceResampler(sampleRate)
      const { start, end } = resampler.framesOf({ start: 1000, end: 1200 })
      const frames = Float64Array.from({ length: end - start }, (_, index) =>
        Math.sin((2 * Math.PI * 1000 * (index + start)) / sampleRate)
      )
      for (let index = 1000; index < 1200; index += 1) {
        const expected = Math.sin((2 * Math.PI * 1000 * index) / VOICE_RATE)
        expect(Math.abs(resampler.sample(index, frames, start) - expected)).toBeLessThan(2e-3)
      }
    }
  )

  test('lets nothing above half its rate through', () => {
    const resampler = new VoiceResampler(48_000)
    const { start, end } = resampler.framesOf({ start: 0, end: 200 })
    const frames = Float64Array.from({ length: end - start }, (_, index) => Math.sin(2 * Math.PI * 0.25 * index + 0.5))
    for (let index = 0; index < 200; index += 1) {
      expect(Math.abs(resampler.sample(index, frames, start))).toBeLessThan(1e-3)
    }
  })
})
