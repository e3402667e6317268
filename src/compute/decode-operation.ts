import type { DecodedSound } from '../domain/compute.ts'
import { answerAsync } from './answer.ts'
import type { DecodeAudioRequest } from './kernel-messages.ts'

/** Decodes a file of sound into one of raw samples. The decoders are loaded only now: most threads never need them. */
export function decodeSound({ path, outputPath, salvage }: DecodeAudioRequest): Promise<unknown> {
  return answerAsync<DecodedSound>(async () => {
    const { decodeAudio } = await import('./decode-audio.ts')
    return decodeAudio(path, outputPath, { salvage })
  })
}
