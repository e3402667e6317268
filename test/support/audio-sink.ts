import { contentHash } from '../../src/content-hash.ts'
import type { SegmentFile, SinkResume } from '../../src/domain/result-sink.ts'
import type { AudioJob } from './audio-job.ts'
import { type AudioChunk, frameOf } from './audio-placed.ts'

/** What stands around the audio of a test's file. */
export const FRAME = { headBytes: 50, tailBytes: 13 }

/** The file of a job, as a sink is told of it. */
export function segmentFileOf({ params }: AudioJob, frame = FRAME): SegmentFile {
  return { kind: 'wav', params, ...frameOf(frame) }
}

/** The file that must come out. */
export function wholeFile({ audio }: AudioJob, frame = FRAME): Buffer {
  const { head, tail } = frameOf(frame)
  return Buffer.concat([head, audio, tail])
}

/** A resume with these chunks; placed jobs take nothing else from the checkpoint. */
export function resumeOf(chunks: readonly AudioChunk[]): SinkResume {
  const nothing = new Uint8Array(0)
  return {
    checkpoint: { chunkCount: chunks.length, plainBytes: 0, fileBytes: 0, digest: nothing, tail: nothing },
    chunks: chunks.map(({ bytes, chunkIndex, outputOffset }) => ({
      chunkIndex,
      outputOffset,
      byteLength: bytes.byteLength,
      outputHash: contentHash(bytes)
    }))
  }
}
