import type { SegmentGrid } from './segment-grid.ts'

/** Where a run of a chunk's bytes lies in the job's file. */
export interface SegmentPlace {
  readonly position: number
  /** Within the chunk. */
  readonly offset: number
  readonly byteLength: number
}

/** What the result holds around its audio. */
export interface AudioFrameBytes {
  readonly headBytes: number
  readonly tailBytes: number
}

/**
 * Where the results of segments lie in a job's one partial file: the audio of the last pass in its place in the result, all
 * else behind the result's end, where the file is cut when the job is done.
 */
export class SegmentPlaces {
  /** Length of the result. */
  readonly fileBytes: number
  /** Where the bytes of chunks lie that are not of the result, at the offset that the grid gives them. */
  readonly workOffset: number
  readonly headBytes: number
  readonly tailBytes: number
  readonly #grid: SegmentGrid

  constructor(grid: SegmentGrid, { headBytes, tailBytes }: AudioFrameBytes) {
    this.#grid = grid
    this.headBytes = headBytes
    this.tailBytes = tailBytes
    this.fileBytes = headBytes + grid.passAudioBytes(grid.passCount - 1) + tailBytes
    this.workOffset = this.fileBytes
  }

  /** Where what stands behind the audio begins. */
  get tailOffset(): number {
    return this.headBytes + this.#grid.passAudioBytes(this.#grid.passCount - 1)
  }

  /** Where the audio of a segment lies; of the last pass in the result. */
  audioPosition(pass: number, index: number): number {
    const { audioOffset, offset } = this.#grid.segment(pass, index)
    return pass === this.#grid.passCount - 1 ? this.headBytes + audioOffset : this.workOffset + offset
  }

  reportPosition(pass: number, index: number): number {
    const { audioBytes, offset } = this.#grid.segment(pass, index)
    return this.workOffset + offset + audioBytes
  }

  /** The places of a chunk's bytes, in their order. @throws RangeError when it is no run of segments */
  *placesOf(outputOffset: number, byteLength: number): Generator<SegmentPlace> {
    const run = this.#grid.runOf(outputOffset, byteLength)
    if (run.pass < this.#grid.passCount - 1) {
      yield { position: this.workOffset + outputOffset, offset: 0, byteLength }
      return
    }
    for (const { index, offset, audioBytes, reportBytes } of this.#grid.segmentsOf(run)) {
      const start = offset - outputOffset
      if (audioBytes > 0) {
        yield { position: this.audioPosition(run.pass, index), offset: start, byteLength: audioBytes }
      }
      yield { position: this.reportPosition(run.pass, index), offset: start + audioBytes, byteLength: reportBytes }
    }
  }
}
