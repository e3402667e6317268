import type { SampleEncoding } from '../../../../src/tasks/wav/audio-format.ts'

export function planar(channels: number, frames: number): Float64Array[] {
  return Array.from({ length: channels }, () => new Float64Array(frames))
}

/** @returns the sample at a byte, the slow way */
export function referenceSample(encoding: SampleEncoding, bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  switch (encoding) {
    case 'u8':
      return (view.getUint8(at) - 128) / 128
    case 's16':
      return view.getInt16(at, true) / 2 ** 15
    case 's24':
      return (view.getInt8(at + 2) * 65_536 + view.getUint16(at, true)) / 2 ** 23
    case 's32':
      return view.getInt32(at, true) / 2 ** 31
    case 'f32':
      return finite(view.getFloat32(at, true))
    case 'f64':
      return finite(view.getFloat64(at, true))
  }
}

function finite(value: number): number {
  if (Number.isNaN(value)) return 0
  return Number.isFinite(value) ? value : Math.sign(value)
}
