// Each decodes one channel of interleaved samples. `at` is the index of its first sample, `stride` of elements from frame to frame.

/** Unsigned bytes: (x − 128) / 128. */
export function decodeU8(from: Uint8Array, at: number, stride: number, frames: number, out: Float64Array): void {
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    out[frame] = ((from[index] as number) - 128) / 128
  }
}

/** 16 bits: x / 2¹⁵. */
export function decodeS16(from: Int16Array, at: number, stride: number, frames: number, out: Float64Array): void {
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    out[frame] = (from[index] as number) / 32_768
  }
}

/** 24 bits: x / 2²³. `at` and `stride` are in bytes. */
export function decodeS24(from: Uint8Array, at: number, stride: number, frames: number, out: Float64Array): void {
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    const low = ((from[index] as number) << 8) | ((from[index + 1] as number) << 16)
    out[frame] = (low | ((from[index + 2] as number) << 24)) / 2_147_483_648
  }
}

/** 32 bits: x / 2³¹. */
export function decodeS32(from: Int32Array, at: number, stride: number, frames: number, out: Float64Array): void {
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    out[frame] = (from[index] as number) / 2_147_483_648
  }
}

/** Floats as they are. @returns whether all are finite */
export function decodeF32(from: Float32Array, at: number, stride: number, frames: number, out: Float64Array): boolean {
  let doubt = 0
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    const value = from[index] as number
    out[frame] = value
    doubt += value - value
  }
  return doubt === 0
}

/** As {@link decodeF32}. */
export function decodeF64(from: Float64Array, at: number, stride: number, frames: number, out: Float64Array): boolean {
  let doubt = 0
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    const value = from[index] as number
    out[frame] = value
    doubt += value - value
  }
  return doubt === 0
}

/** Makes NaN 0, and ±∞ ±1. @returns how many were so */
export function makeFinite(samples: Float64Array, frames: number): number {
  let count = 0
  for (let frame = 0; frame < frames; frame++) {
    const value = samples[frame] as number
    if (value - value === 0) continue
    count++
    samples[frame] = value === Number.POSITIVE_INFINITY ? 1 : value === Number.NEGATIVE_INFINITY ? -1 : 0
  }
  return count
}
