import { type FileHandle, open } from 'node:fs/promises'
import type { AudioShape, SampleEncoding } from '../../src/tasks/wav/audio-format.ts'
import { layOutWav } from '../../src/tasks/wav/container/wav-layout.ts'
import { SampleEncoder } from '../../src/tasks/wav/samples/encode-samples.ts'
import { frameBytes } from '../../src/tasks/wav/wav-plan.ts'

/** What a file that tests write holds. */
export interface WrittenAudio extends AudioShape {
  readonly encoding: SampleEncoding
}

/**
 * Writes a WAV file of any length in pieces; RF64 beyond 4 GiB.
 * @param blocks consecutive frames, [channels][frames of the block], full scale ±1: as many in all as the audio has
 * @returns its path
 * @throws Error when there are fewer or more frames
 */
export async function writeWav(
  path: string,
  audio: WrittenAudio,
  blocks: Iterable<readonly Float64Array[]>
): Promise<string> {
  const { parts } = layOutWav({ shape: audio, encoding: audio.encoding }, { before: [], after: [] })
  const file = await open(path, 'w')
  try {
    for (const part of parts) {
      if (part.kind === 'bytes') await file.write(part.bytes)
      else await writeSamples(file, audio, blocks)
    }
  } finally {
    await file.close()
  }
  return path
}

async function writeSamples(
  file: FileHandle,
  audio: WrittenAudio,
  blocks: Iterable<readonly Float64Array[]>
): Promise<void> {
  const encoder = new SampleEncoder(audio.encoding, audio.channels, { dither: false })
  let bytes = new Uint8Array(0)
  let frame = 0
  for (const block of blocks) {
    const count = block[0]?.length ?? 0
    const byteLength = count * frameBytes(audio)
    if (bytes.byteLength < byteLength) bytes = new Uint8Array(byteLength)
    encoder.encode(block, count, frame, bytes, 0)
    await file.write(bytes, 0, byteLength)
    frame += count
  }
  if (frame !== audio.frames) throw new Error(`${frame} frames came instead of ${audio.frames}`)
}
