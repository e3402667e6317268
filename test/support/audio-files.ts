import { SAMPLE_BYTES, type SampleEncoding } from '../../src/tasks/wav/audio-format.ts'

/** A chunk of a RIFF file with its header, and padding when its body is odd. */
export function riffChunk(id: string, body: Uint8Array): Uint8Array {
  const header = Buffer.alloc(8)
  header.write(id, 0, 'latin1')
  header.writeUInt32LE(body.byteLength, 4)
  return Buffer.concat([header, body, Buffer.alloc(body.byteLength % 2)])
}

/** What a WAV file of a test holds. */
export interface WavParts {
  readonly encoding: SampleEncoding
  readonly channels: number
  readonly sampleRate: number
  /** Interleaved samples. */
  readonly audio: Uint8Array
  /** Whole chunks that lie before and behind the audio. */
  readonly before?: readonly Uint8Array[]
  readonly after?: readonly Uint8Array[]
}

/** A WAV file, byte by byte as the books have it. */
export function wavBytes({ after = [], audio, before = [], channels, encoding, sampleRate }: WavParts): Buffer {
  const sampleBytes = SAMPLE_BYTES[encoding]
  const format = Buffer.alloc(16)
  format.writeUInt16LE(encoding.startsWith('f') ? 3 : 1, 0)
  format.writeUInt16LE(channels, 2)
  format.writeUInt32LE(sampleRate, 4)
  format.writeUInt32LE(sampleRate * channels * sampleBytes, 8)
  format.writeUInt16LE(channels * sampleBytes, 12)
  format.writeUInt16LE(sampleBytes * 8, 14)
  const chunks = [Buffer.from('WAVE'), riffChunk('fmt ', format), ...before, riffChunk('data', audio), ...after]
  return Buffer.from(riffChunk('RIFF', Buffer.concat(chunks)))
}
