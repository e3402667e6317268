import { Random } from '../sim/random.ts'
import { type WrittenAudio, writeWav } from './wav-writing.ts'

/** Music is made for so long, and then comes again at another level. */
const PHRASE_SECONDS = 30
const CHORD_HZ = [110, 164.8, 220.5, 277.3, 1_318, 5_274]
/** From one phrase's gain to the next, so that no two are alike. */
const GOLDEN = 0.618_034

/**
 * Writes stereo with what music and speech have: chords, beats of noise, digital silence, syllables. Each 30 s have a level
 * of their own, so that what is taken from a wrong place is seen.
 * @returns its path
 */
export async function writeMusic(path: string, audio: Omit<WrittenAudio, 'channels'>): Promise<string> {
  return writeWav(path, { ...audio, channels: 2 }, repeat(makePhrase(audio.sampleRate), audio.frames))
}

function* repeat(phrase: readonly Float64Array[], frames: number): Generator<readonly Float64Array[]> {
  const scaled = phrase.map((samples) => new Float64Array(samples.length))
  const phraseFrames = phrase[0]?.length ?? 0
  for (let done = 0, turn = 1; done < frames; done += phraseFrames, turn++) {
    const gain = 0.2 + 0.8 * ((turn * GOLDEN) % 1)
    for (const [channel, samples] of phrase.entries()) {
      const out = scaled[channel] as Float64Array
      for (let frame = 0; frame < samples.length; frame++) out[frame] = gain * (samples[frame] as number)
    }
    const count = Math.min(phraseFrames, frames - done)
    yield scaled.map((samples) => samples.subarray(0, count))
  }
}

/** @returns [2][30 s], peaks below 0.95 */
function makePhrase(sampleRate: number): readonly Float64Array[] {
  const frames = PHRASE_SECONDS * sampleRate
  return [0, 1].map((channel) => {
    const random = new Random(1 + channel)
    const samples = new Float64Array(frames)
    for (let frame = 0; frame < frames; frame++) {
      const time = frame / sampleRate
      samples[frame] = sampleAt(time, channel, 2 * random.next() - 1)
    }
    return samples
  })
}

function sampleAt(time: number, channel: number, noise: number): number {
  if (time < 12) return chord(time, channel) * Math.min(1, time)
  if (time < 18) return 0.6 * noise * Math.exp(-8 * (time % 0.5)) + 0.3 * Math.sin(2 * Math.PI * 55 * time)
  if (time < 20.5) return 0
  const syllable = Math.sin((Math.PI * (time % 0.3)) / 0.3) ** 2
  return syllable * (0.25 * noise + 0.5 * Math.sin(2 * Math.PI * (180 + 20 * channel) * time))
}

function chord(time: number, channel: number): number {
  let sum = 0
  for (const [index, hertz] of CHORD_HZ.entries()) {
    const tremolo = 1 + 0.5 * Math.sin(2 * Math.PI * (0.3 + 0.2 * index) * time)
    sum += (tremolo * Math.sin(2 * Math.PI * hertz * time + index + channel)) / (index + 1)
  }
  return 0.24 * sum
}
