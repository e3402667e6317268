/** Bytes of a file that never are in memory as a whole. */
export interface RangeReader {
  /** Named in messages. */
  readonly path: string
  readonly byteLength: number
  /** @returns exactly these bytes, which lie within the file; they need to last until the next call only */
  read(offset: number, byteLength: number): Uint8Array
}

/** Consecutive bytes of a file. */
export interface ByteRange {
  readonly offset: number
  readonly byteLength: number
}
