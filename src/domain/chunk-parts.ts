/** A piece of a chunk's input: a range of a file, or bytes that the submitter makes. */
export type InputPart = FilePart | { readonly bytes: Uint8Array; readonly path?: undefined }

/** A range of a file, in bytes. */
export interface FilePart {
  /** Absolute. */
  readonly path: string
  readonly offset: number
  readonly byteLength: number
}

/** Bytes of all parts together, which are the chunk's input one after the other. */
export function partsByteLength(parts: readonly InputPart[]): number {
  return parts.reduce((sum, part) => sum + lengthOfPart(part), 0)
}

/** Bytes of one part. */
export function lengthOfPart(part: InputPart): number {
  return part.path === undefined ? part.bytes.byteLength : part.byteLength
}
