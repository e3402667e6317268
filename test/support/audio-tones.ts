import { writeFileSync } from 'node:fs'
import { wavBytes } from './audio-files.ts'

/** Of every tone, in Hz. */
export const TONE_RATE = 48_000
const LEVEL = 0.25 * 32_767

/** Writes a tone of so many Hz at −12 dB of full scale as a WAV file with 16-bit samples, the same in both channels. */
export function writeTone(path: string, frequency: number, seconds: number): void {
  const samples = new Int16Array(2 * Math.round(seconds * TONE_RATE))
  for (let index = 0; index < samples.length; index++) {
    const frame = Math.floor(index / 2)
    samples[index] = Math.round(LEVEL * Math.sin((2 * Math.PI * frequency * frame) / TONE_RATE))
  }
  const audio = new Uint8Array(samples.buffer)
  writeFileSync(path, wavBytes({ encoding: 's16', channels: 2, sampleRate: TONE_RATE, audio }))
}
