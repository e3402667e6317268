import type { SegmentFile } from '../domain/result-sink.ts'
import { segmentJob } from '../tasks/wav/segment-jobs.ts'
import { SegmentPlaces } from '../tasks/wav/segments/segment-places.ts'
import type { SinkFile } from './sink-file.ts'
import type { PlacedFile, Placement } from './sink-placement.ts'

/** An audio file: chunks hold segment after segment, each its audio and then its report; the file holds the audio. */
export class SegmentPlacement implements Placement {
  readonly header: Uint8Array
  readonly trailer: { readonly bytes: Uint8Array; readonly position: number }
  readonly #places: SegmentPlaces

  constructor({ kind, params, head, tail }: SegmentFile) {
    this.header = head
    const { grid } = segmentJob(kind, params)
    this.#places = new SegmentPlaces(grid, { headBytes: head.byteLength, tailBytes: tail.byteLength })
    this.trailer = { bytes: tail, position: this.#places.tailOffset }
  }

  /** The result's end: what lies behind it is cut off when the job is done. */
  fileEnd(): number {
    return this.#places.fileBytes
  }

  async write(file: SinkFile, outputOffset: number, bytes: Uint8Array): Promise<void> {
    for (const { position, offset, byteLength } of this.#places.placesOf(outputOffset, bytes.byteLength)) {
      await file.write(bytes.subarray(offset, offset + byteLength), position)
    }
  }

  readBlocks(file: PlacedFile, outputOffset: number, byteLength: number, use: (block: Uint8Array) => void): boolean {
    for (const place of this.#places.placesOf(outputOffset, byteLength)) {
      if (!file.readBlocks(place.position, place.position + place.byteLength, use)) return false
    }
    return true
  }
}
