import type { SinkFile } from './sink-file.ts'

/** What a chunk is read back from: the partial file. */
export type PlacedFile = Pick<SinkFile, 'read' | 'readBlocks'>

/** Where a job's output, as its chunks count it, lies in its file. */
export interface Placement {
  /** What the file begins with; empty when it holds the output alone. */
  readonly header: Uint8Array
  /** What stands behind the output, where that is known from the start. */
  readonly trailer?: { readonly bytes: Uint8Array; readonly position: number }
  /** Byte behind the last one that a chunk takes in the file; over all chunks, the file's length. */
  fileEnd(outputOffset: number, byteLength: number): number
  /** Writes a chunk to its places. @throws RangeError when the job cannot have such a chunk */
  write(file: SinkFile, outputOffset: number, bytes: Uint8Array): Promise<void>
  /**
   * Reads a chunk from its places, in the order in which its bytes came, in blocks that are good until the next one.
   * @returns false when the file ends before. @throws RangeError when the job cannot have such a chunk
   */
  readBlocks(file: PlacedFile, outputOffset: number, byteLength: number, use: (block: Uint8Array) => void): boolean
}

/** The output as it is, from the file's first byte. */
export const CONTIGUOUS: Placement = {
  header: new Uint8Array(0),
  fileEnd: (outputOffset, byteLength) => outputOffset + byteLength,
  write: (file, outputOffset, bytes) => file.write(bytes, outputOffset),
  readBlocks: (file, outputOffset, byteLength, use) => file.readBlocks(outputOffset, outputOffset + byteLength, use)
}
