/** Output bytes that may be granted ahead of what the sink has consumed: what bounds a submitter's memory. */
export const WINDOW_BYTES = 20 * 1024 * 1024
/** Chunks that the window holds at least, whatever their size. */
export const WINDOW_CHUNKS_MIN = 4
/** Bytes of a window that grows with the peers, at most, as long as {@link WINDOW_CHUNKS_MIN} fit. */
export const WINDOW_BYTES_MAX = 128 * 1024 * 1024

/** What a window is for. */
export interface LeaseWindow {
  readonly chunkBytesMax: number
  /**
   * Kernel threads of each peer that is there. Undefined for jobs whose window is the same for any number of peers: those that are
   * held up by moving bytes, not by computing, or whose sink may keep all of the window.
   */
  readonly peerThreads: readonly number[] | undefined
}

/**
 * Bytes that may be under way: so many chunks that each thread of a peer can have one, and that each peer beyond the second can
 * have another on its way. Two peers of two threads have no more than the least window.
 */
export function leaseWindowBytes({ chunkBytesMax, peerThreads = [] }: LeaseWindow): number {
  const wanted = peerThreads.reduce((sum, threads) => sum + threads, 0) + peerThreads.length - 2
  const grown = Math.min(wanted * chunkBytesMax, WINDOW_BYTES_MAX)
  return Math.max(WINDOW_BYTES, WINDOW_CHUNKS_MIN * chunkBytesMax, grown)
}
