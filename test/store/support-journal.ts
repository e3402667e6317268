import { type JobId, parseJobId, peerName } from '../../src/domain/ids.ts'
import type { Chunk } from '../../src/domain/job.ts'
import type { JournalJob } from '../../src/domain/journal.ts'

/** Bytes of a chunk of {@link testJob}. */
export const CHUNK_BYTES = 1024

/** @returns a job id made of one repeated letter. */
export function testJobId(letter: string): JobId {
  const jobId = parseJobId(letter.repeat(26))
  if (jobId === undefined) throw new Error(`${letter} makes no job id`)
  return jobId
}

/** @returns an open, sealed job. */
export function testJob(letter: string): JournalJob {
  return {
    spec: {
      jobId: testJobId(letter),
      submitter: peerName('submitter'),
      submitterName: 'ann',
      kind: 'invert',
      params: Uint8Array.of(1, 2),
      kernelId: 'invert/1',
      inputBytes: 1 << 30,
      blockBytes: CHUNK_BYTES,
      reverse: true
    },
    options: {
      inputPath: '/data/in.f32',
      outDir: '/data/out',
      encrypt: true,
      local: 'auto',
      chunkBytesMax: CHUNK_BYTES,
      chunkBytesFixed: true,
      minPeers: 0,
      waitMs: 0
    },
    state: 'open',
    incarnation: 1,
    openedAtMs: 1_700_000_000_000,
    inputModifiedMs: 1_699_999_999_999.25,
    sealing: { key: new Uint8Array(32).fill(0xa5), iv: new Uint8Array(16).fill(0x5a) },
    releases: 0,
    duplicates: 0,
    ranMs: 0
  }
}

/** @returns the cut of one chunk. */
export function testChunk(chunkIndex: number): Chunk {
  const offset = chunkIndex * CHUNK_BYTES
  return { chunkIndex, inputOffset: offset, inputBytes: CHUNK_BYTES, outputOffset: offset, outputBytes: CHUNK_BYTES }
}
