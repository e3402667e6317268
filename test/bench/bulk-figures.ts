/** What is measured. `copied` is the bare stream whose receiver keeps the bytes, as every use of them does. */
export type BulkWay = 'bare' | 'copied' | 'large' | 'small'

/** The worker's view: `in` is what the chunk protocol does, `out` what the result protocol does. */
export type Direction = 'in' | 'out'

/** What the measuring end is told. */
export interface BulkSetup {
  readonly address: string
  readonly rounds: number
  readonly totalBytes: number
}

/** One measurement. */
export interface BulkFigure {
  readonly way: BulkWay
  readonly direction: Direction
  readonly ms: number
}

/** Chunk of the way `large`, in bytes. */
export const LARGE_BYTES = 4 * 1024 * 1024
/** Chunk of the way `small`, in bytes. */
export const SMALL_BYTES = 256 * 1024
