import { Socket } from 'node:net'
import type { MessageStream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { ConnectionLanes, offerLanes } from './connection-lanes.ts'
import { writeCorked } from './corked-write.ts'
import { HEADROOM_BYTES, type LaneRecords, RecordSplitter } from './record-splitter.ts'
import { recycle } from './recycle.ts'

// Shortens the way of bulk data between a TCP socket and the Noise cipher, on connections that libp2p made. It reaches
// into fields that are not public: of @libp2p/tcp, libp2p-noise and Node's net.Socket. Versions are pinned, and
// test/network/tuned-connection.test.ts has one test for each field. Where a field is missing the connection is left as
// it was, slower and just as right.

/** Bytes taken from a socket at once; larger than the 64 KiB that Node allocates anew for each read. */
const READ_BYTES = 256 * 1024

/** Bytes of libp2p that may wait in a socket behind those of lanes, before libp2p is told to wait. */
const QUEUED_BEHIND_LANES_BYTES = 256 * 1024

/** All sockets read into this one block: each read is decrypted, or copied, before the next can happen. */
const readBlock = new Uint8Array(HEADROOM_BYTES + READ_BYTES)
const readArea = readBlock.subarray(HEADROOM_BYTES)

/** What is touched of libp2p's TCP connection. */
interface RawConnection extends MessageStream {
  readonly writableNeedsDrain: boolean
  safeDispatchEvent(type: string): boolean
  readonly socket: Socket
  readonly readStatus: string
  sendData(data: Uint8ArrayList): { sentBytes: number; canSendMore: boolean }
  onData(data: Uint8Array): void
}

/** What is touched of libp2p's encrypted stream. */
interface SecuredConnection extends MessageStream {
  decoder: Pick<RecordSplitter, 'decode'> & { readonly buffer: Uint8ArrayList }
  decrypt(record: Uint8Array): Uint8Array | Uint8ArrayList
  onData(data: Uint8Array | Uint8ArrayList): void
}

/** How Node hands reads to a callback instead of allocating; the public way, `onread`, is for outbound sockets only. */
interface ReadBufferSocket {
  readonly _handle: { useUserBuffer(buffer: Uint8Array): void }
  [symbol: symbol]: unknown
}

/** Which of the short cuts a connection got; lanes need both others. */
export interface Tuning {
  readonly sends: boolean
  readonly reads: boolean
}

/** Takes the short cuts on a connection whose Noise handshake is done; leaves other transports alone. */
export function tuneConnection(raw: MessageStream, secured: MessageStream): Tuning {
  if (!isRawConnection(raw)) {
    return { sends: false, reads: false }
  }
  const ownBytes = (): number => raw.socket.writableLength - lanes.queuedBytes
  const lanes = new ConnectionLanes({
    socket: raw.socket,
    // The socket says `drain` only once it is empty, which it may never be while lanes are in use.
    onWritten: () => {
      if (raw.writableNeedsDrain && ownBytes() <= QUEUED_BEHIND_LANES_BYTES) {
        raw.safeDispatchEvent('drain')
      }
    }
  })
  corkSends(raw, () => lanes.queuedBytes > 0 && ownBytes() <= QUEUED_BEHIND_LANES_BYTES)
  const reads = isSecuredConnection(secured) && readRecords(raw, secured, lanes)
  if (reads) {
    offerLanes(raw, lanes)
  }
  return { sends: true, reads }
}

/**
 * Writes the parts of one send with one system call, and gives their memory back when the kernel has it all. The
 * original writes part by part and takes a full Node buffer, not a full kernel buffer, for a reason to wait.
 */
function corkSends(raw: RawConnection, hasRoomBehindLanes: () => boolean): void {
  const { socket } = raw
  raw.sendData = (data) => {
    const sentBytes = data.byteLength
    const parts = [...data]
    // An error leaves the memory to the garbage collector: a write that failed may still be read by the kernel.
    const onWritten = (error?: Error | null): void => {
      if (error === undefined || error === null) {
        parts.forEach(recycle)
      }
    }
    const belowMark = writeCorked(socket, parts, onWritten)
    return { sentBytes, canSendMore: belowMark || socket.writableLength === 0 || hasRoomBehindLanes() }
  }
}

/** Sends reads straight from the shared block to the cipher, past two event dispatches and their copies. */
function readRecords(raw: RawConnection, secured: SecuredConnection, lanes: LaneRecords): boolean {
  const splitter = new RecordSplitter(lanes)
  const onRead = (data: Uint8Array): void => {
    // What came with the handshake goes first; a paused or closed connection is the original's business.
    if (raw.readStatus !== 'readable' || raw.readBufferLength > 0) {
      raw.onData(data.slice())
      return
    }
    try {
      for (const record of splitter.decode(data, readBlock)) {
        secured.onData(secured.decrypt(record))
      }
    } catch (error) {
      secured.abort(error instanceof Error ? error : new Error(String(error)))
    }
  }
  if (!useReadBlock(raw.socket, onRead)) {
    return false
  }
  for (const _ of splitter.decode(secured.decoder.buffer)) {
    // The stock decoder gives records out as soon as they are whole, so what is left in it is less than one.
  }
  secured.decoder = Object.assign(splitter, { buffer: secured.decoder.buffer })
  return true
}

function useReadBlock(socket: Socket, onRead: (data: Uint8Array) => void): boolean {
  const symbols = Object.getOwnPropertySymbols(socket)
  const bufferSymbol = symbols.find((symbol) => symbol.description === 'kBuffer')
  const callbackSymbol = symbols.find((symbol) => symbol.description === 'kBufferCb')
  const target = socket as unknown as ReadBufferSocket
  if (
    bufferSymbol === undefined ||
    callbackSymbol === undefined ||
    typeof target._handle?.useUserBuffer !== 'function'
  ) {
    return false
  }
  target[bufferSymbol] = readArea
  target[callbackSymbol] = (byteLength: number): boolean => {
    onRead(readArea.subarray(0, byteLength))
    return true
  }
  target._handle.useUserBuffer(readArea)
  return true
}

function isRawConnection(stream: MessageStream): stream is RawConnection {
  const raw = stream as Partial<RawConnection>
  const { socket, writableNeedsDrain, sendData, onData, safeDispatchEvent } = raw
  const methods = [sendData, onData, safeDispatchEvent]
  return (
    socket instanceof Socket &&
    typeof writableNeedsDrain === 'boolean' &&
    methods.every((method) => typeof method === 'function')
  )
}

function isSecuredConnection(stream: MessageStream): stream is SecuredConnection {
  const secured = stream as Partial<SecuredConnection>
  return (
    typeof secured.decoder?.decode === 'function' &&
    secured.decoder.buffer !== undefined &&
    typeof secured.decrypt === 'function' &&
    typeof secured.onData === 'function'
  )
}
