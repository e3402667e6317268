import type { Stream } from '@libp2p/interface'

// Opens yamux's receive window of a bulk stream wide, and tells the sender about freed window half by half instead of
// frame by frame. Both are legal yamux; they reach into fields of @chainsafe/libp2p-yamux that are not public, whose
// version is pinned, and test/network/bulk-window.test.ts fails when one goes away. Then the stream works as it was.

/**
 * Receive window of a bulk stream, in bytes. Above what a receiver ever has asked for, so that a sender is held back by
 * the receiver's requests alone and its frames leave whole: 16 full Noise records each, none spilling into another.
 */
export const BULK_WINDOW_BYTES = 12 * 1024 * 1024

/** What is touched of a yamux stream. */
interface WindowedStream extends Stream {
  recvWindow: number
  recvWindowCapacity: number
  maxStreamWindowSize: number
  sendWindowUpdate(): void
}

/** @returns whether the stream could be widened */
export function widenBulkWindow(stream: Stream): boolean {
  if (!isWindowed(stream)) return false
  const update = stream.sendWindowUpdate.bind(stream)
  stream.maxStreamWindowSize = BULK_WINDOW_BYTES
  stream.recvWindow = BULK_WINDOW_BYTES
  stream.sendWindowUpdate = () => {
    if (stream.recvWindowCapacity < stream.recvWindow / 2) update()
  }
  update()
  return true
}

function isWindowed(stream: Stream): stream is WindowedStream {
  const { recvWindow, recvWindowCapacity, maxStreamWindowSize, sendWindowUpdate } = stream as Partial<WindowedStream>
  const numbers = [recvWindow, recvWindowCapacity, maxStreamWindowSize]
  return numbers.every((value) => typeof value === 'number') && typeof sendWindowUpdate === 'function'
}
