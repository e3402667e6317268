// Each packs what `quantize` made, or floats, into the bytes of a file. `at` is the index of the first element written.

/** Integers of 8 bits, as unsigned bytes. */
export function packU8(steps: Int32Array, count: number, out: Uint8Array, at: number): void {
  for (let index = 0; index < count; index++) out[at + index] = (steps[index] as number) + 128
}

/** Integers of 16 bits. */
export function packS16(steps: Int32Array, count: number, out: Int16Array, at: number): void {
  const end = count | 0
  for (let index = 0, to = at | 0; index < end; index++, to++) out[to] = steps[index] as number
}

/** Integers of 24 bits, byte by byte. */
export function packS24(steps: Int32Array, count: number, out: Uint8Array, at: number): void {
  for (let index = 0, byte = at; index < count; index++, byte += 3) {
    const step = steps[index] as number
    out[byte] = step
    out[byte + 1] = step >> 8
    out[byte + 2] = step >> 16
  }
}

/** Integers of 24 bits, four of them as three words. @param count a multiple of 4. @param at in words */
export function packS24Words(steps: Int32Array, count: number, out: Int32Array, at: number): void {
  for (let index = 0, word = at; index < count; index += 4, word += 3) {
    const second = steps[index + 1] as number
    const third = steps[index + 2] as number
    out[word] = ((steps[index] as number) & 0xff_ffff) | (second << 24)
    out[word + 1] = ((second >>> 8) & 0xffff) | (third << 16)
    out[word + 2] = ((third >>> 16) & 0xff) | ((steps[index + 3] as number) << 8)
  }
}

/** One channel as floats of 32 or 64 bits, rounded to the nearest; NaN, whose bits differ among machines, as 0. */
export function packF32(
  samples: Float64Array,
  start: number,
  frames: number,
  out: Float32Array,
  at: number,
  stride: number
): void {
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    const sample = samples[start + frame] as number
    out[index] = Number.isNaN(sample) ? 0 : sample
  }
}

/** As {@link packF32}. */
export function packF64(
  samples: Float64Array,
  start: number,
  frames: number,
  out: Float64Array,
  at: number,
  stride: number
): void {
  for (let frame = 0, index = at; frame < frames; frame++, index += stride) {
    const sample = samples[start + frame] as number
    out[index] = Number.isNaN(sample) ? 0 : sample
  }
}
