import type { Uint8ArrayList } from 'uint8arraylist'

// Owns the list of buffers that the cipher made for one record. Giving each back when it was used keeps the same few
// blocks of memory in use: without it, V8 finds out about 64 KiB garbage per record only when it next collects, which
// doubled the CPU time of a bulk transfer and added 60 MB to its peak (test/bench/bulk-stream.ts).

/** Bytes of a yamux frame header, the only thing that may share a record's buffer with what a stream delivers. */
const FRAME_HEADER_BYTES = 12

const recyclable = new WeakSet<ArrayBufferLike>()

/** Marks bytes whose buffer holds nothing else, and returns them. */
export function markRecyclable<T extends Uint8Array>(bytes: T): T {
  if (bytes.byteLength === bytes.buffer.byteLength) {
    recyclable.add(bytes.buffer)
  }
  return bytes
}

/** Gives the memory of bytes back at once that have a buffer of their own, and which nobody will look at again. */
export function freeBuffer(bytes: Uint8Array): void {
  const { buffer } = bytes
  if (bytes.byteLength === buffer.byteLength && buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/**
 * Gives memory back at once instead of at the next garbage collection. For data of a `message` event whose bytes the
 * caller has copied or hashed: the views are empty afterwards, so nobody may look at them again. Bytes that did not come
 * from the tuned cipher, or that share their buffer with anything else, are left alone.
 */
export function recycle(data: Uint8Array | Uint8ArrayList): void {
  if (data instanceof Uint8Array) {
    recyclePart(data)
    return
  }
  for (const part of data) {
    recyclePart(part)
  }
}

function recyclePart(part: Uint8Array): void {
  const { buffer, byteOffset, byteLength } = part
  const endsBuffer = byteOffset + byteLength === buffer.byteLength
  const startsBuffer = byteOffset === 0 || byteOffset === FRAME_HEADER_BYTES
  if (byteLength > 0 && startsBuffer && endsBuffer && buffer instanceof ArrayBuffer && recyclable.delete(buffer)) {
    buffer.transfer(0)
  }
}
