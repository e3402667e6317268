const IS_LITTLE_ENDIAN = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

/** Bytes of one sample. */
export const SAMPLE_BYTES = Float32Array.BYTES_PER_ELEMENT

/**
 * Views little-endian bytes as 32-bit floats; copies only when the bytes are not aligned, so a write to the view may or
 * may not reach them.
 * @throws RangeError when the length is no multiple of {@link SAMPLE_BYTES}, or the host is big-endian
 */
export function viewFloat32(bytes: Uint8Array): Float32Array {
  return viewFloat32On(bytes, IS_LITTLE_ENDIAN)
}

/** {@link viewFloat32} for a host of the given byte order; there for the test of the refusal. */
export function viewFloat32On(bytes: Uint8Array, isLittleEndian: boolean): Float32Array {
  if (!isLittleEndian) throw new RangeError('swarm needs a little-endian host; this one is big-endian')
  if (bytes.byteLength % SAMPLE_BYTES !== 0) {
    throw new RangeError(`expected a multiple of ${SAMPLE_BYTES} bytes, not ${bytes.byteLength}`)
  }
  const aligned = bytes.byteOffset % SAMPLE_BYTES === 0 ? bytes : new Uint8Array(bytes)
  return new Float32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / SAMPLE_BYTES)
}
