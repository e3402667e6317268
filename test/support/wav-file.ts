import { createHash } from 'node:crypto'
import { createReadStream, writeFileSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'

const HEADER_BYTES = 44
const SAMPLE_BYTES = 2

/** Writes a 16-bit PCM WAV file of speech-like noise: bursts, pauses and a tone, by seed. @returns its path */
export function writeSpeechLike(
  path: string,
  { seconds, channels = 2, sampleRate = 48_000, seed = 1 }: SpeechLike
): string {
  const frames = Math.round(seconds * sampleRate)
  const bytes = Buffer.alloc(HEADER_BYTES + frames * channels * SAMPLE_BYTES)
  writeHeader(bytes, frames, channels, sampleRate)
  let state = seed >>> 0 || 1
  for (let frame = 0; frame < frames; frame++) {
    const time = frame / sampleRate
    // A syllable each 0.3 s, a pause each 2 s.
    const loudness = time % 2 < 1.6 ? Math.sin((Math.PI * (time % 0.3)) / 0.3) ** 2 : 0.0005
    for (let channel = 0; channel < channels; channel++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      const noise = state / 2 ** 31 - 1
      const tone = Math.sin(2 * Math.PI * (220 + 30 * channel) * time)
      const sample = Math.round(loudness * (0.25 * noise + 0.3 * tone) * 32_767)
      bytes.writeInt16LE(sample, HEADER_BYTES + (frame * channels + channel) * SAMPLE_BYTES)
    }
  }
  writeFileSync(path, bytes)
  return path
}

/** What {@link writeSpeechLike} writes. */
export interface SpeechLike {
  readonly seconds: number
  readonly channels?: number
  readonly sampleRate?: number
  readonly seed?: number
}

/** @returns the SHA-256 of a file, as hex */
export async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

function writeHeader(bytes: Buffer, frames: number, channels: number, sampleRate: number): void {
  const frameBytes = channels * SAMPLE_BYTES
  bytes.write('RIFF', 0, 'latin1')
  bytes.writeUInt32LE(bytes.byteLength - 8, 4)
  bytes.write('WAVEfmt ', 8, 'latin1')
  bytes.writeUInt32LE(16, 16)
  bytes.writeUInt16LE(1, 20)
  bytes.writeUInt16LE(channels, 22)
  bytes.writeUInt32LE(sampleRate, 24)
  bytes.writeUInt32LE(sampleRate * frameBytes, 28)
  bytes.writeUInt16LE(frameBytes, 32)
  bytes.writeUInt16LE(8 * SAMPLE_BYTES, 34)
  bytes.write('data', 36, 'latin1')
  bytes.writeUInt32LE(frames * frameBytes, 40)
}
