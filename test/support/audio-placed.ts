import type { InputPart } from '../../src/domain/chunk-parts.ts'
import type { AudioFrameBytes, SegmentPlaces } from '../../src/tasks/wav/segments/segment-places.ts'
import type { AudioJob } from './audio-job.ts'
import { runsOf } from './audio-plans.ts'

/** A run of a job's bytes, as chunks lie in the journal. */
export interface AudioChunk {
  readonly chunkIndex: number
  readonly outputOffset: number
  readonly bytes: Uint8Array
}

/** What a head and a tail of a test's file hold. */
export function frameOf({ headBytes, tailBytes }: AudioFrameBytes): { head: Uint8Array; tail: Uint8Array } {
  return { head: new Uint8Array(headBytes).fill(0x48), tail: new Uint8Array(tailBytes).fill(0x54) }
}

/** Runs a job, and cuts what it gave into chunks. @param counts segments of each chunk, repeated */
export function chunksOf(job: AudioJob, counts: readonly number[]): AudioChunk[] {
  const bytes = job.run(counts)
  const { grid } = job.layout
  return runsOf(grid, counts).map((run, chunkIndex) => {
    const first = grid.segment(run.pass, run.first)
    const last = grid.segment(run.pass, run.first + run.count - 1)
    const end = last.offset + last.audioBytes + last.reportBytes
    return { chunkIndex, outputOffset: first.offset, bytes: bytes.slice(first.offset, end) }
  })
}

/** The file that chunks are placed in, in memory. */
export function placeChunks(places: SegmentPlaces, chunks: readonly AudioChunk[], fileBytes: number): Uint8Array {
  const file = new Uint8Array(fileBytes)
  for (const { bytes, outputOffset } of chunks) {
    for (const { byteLength, offset, position } of places.placesOf(outputOffset, bytes.byteLength)) {
      file.set(bytes.subarray(offset, offset + byteLength), position)
    }
  }
  return file
}

/** Bytes of parts, one after the other, from files in memory. */
export function joinParts(parts: readonly InputPart[], files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return Buffer.concat(
    parts.map((part) => {
      if (part.path === undefined) return part.bytes
      const file = files.get(part.path)
      if (file === undefined || part.offset + part.byteLength > file.byteLength) {
        throw new Error(`${part.path} has no bytes ${part.offset}+${part.byteLength}`)
      }
      return file.subarray(part.offset, part.offset + part.byteLength)
    })
  )
}
