import type { Socket } from 'node:net'

/**
 * Writes parts in one piece, with one system call where the socket is free; nothing of others comes between.
 *
 * @param onWritten called once the system has all of them, or with the error that ended the socket
 * @returns whether less waits in the socket than Node wants to hold
 */
export function writeCorked(
  socket: Socket,
  parts: readonly Uint8Array[],
  onWritten: (error?: Error | null) => void
): boolean {
  let belowMark = true
  socket.cork()
  for (const [index, part] of parts.entries()) {
    belowMark = index === parts.length - 1 ? socket.write(part, onWritten) : socket.write(part)
  }
  socket.uncork()
  return belowMark
}
