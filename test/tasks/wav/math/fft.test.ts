import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RealFft } from '../../../../src/tasks/wav/math/fft.ts'
import { noise } from '../effects/chain-runs.ts'

const SIZES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536]

function signal(size: number, seed = size): Float64Array {
  return noise(seed, 1, size, 1)[0] ?? new Float64Array(0)
}

function spectrum(size: number): [Float64Array, Float64Array] {
  return [new Float64Array(size / 2 + 1), new Float64Array(size / 2 + 1)]
}

describe('RealFft', () => {
  it.each(SIZES.filter((size) => size <= 1024))('is the sum that defines it, at size %i', (size) => {
    const samples = signal(size)
    const [real, imaginary] = spectrum(size)
    new RealFft(size).forward(samples, real, imaginary)
    for (let k = 0; k <= size / 2; k++) {
      let re = 0
      let im = 0
      for (const [n, sample] of samples.entries()) {
        const angle = (2 * Math.PI * ((k * n) % size)) / size
        re += sample * Math.cos(angle)
        im -= sample * Math.sin(angle)
      }
      expect(Math.abs(re - (real[k] ?? Number.NaN))).toBeLessThan(1e-11)
      expect(Math.abs(im - (imaginary[k] ?? Number.NaN))).toBeLessThan(1e-11)
    }
  })

  it.each(SIZES)('is undone by its inverse, at size %i', (size) => {
    const samples = signal(size)
    const [real, imaginary] = spectrum(size)
    const back = new Float64Array(size)
    const fft = new RealFft(size)
    fft.forward(samples, real, imaginary)
    fft.inverse(real, imaginary, back)
    let worst = 0
    for (let n = 0; n < size; n++) worst = Math.max(worst, Math.abs((samples[n] ?? 0) - (back[n] ?? Number.NaN)))
    expect(worst).toBeLessThan(1e-14)
  })

  it('keeps the energy, and makes products of circular convolutions', () => {
    fc.assert(
      fc.property(fc.constantFrom(16, 32, 64, 128), fc.nat(1000), fc.nat(127), (size, seed, shift) => {
        const samples = signal(size, seed)
        const delay = shift % size
        const [real, imaginary] = spectrum(size)
        const [delayRe, delayIm] = spectrum(size)
        const fft = new RealFft(size)
        fft.forward(samples, real, imaginary)
        const impulse = new Float64Array(size)
        impulse[delay] = 1
        fft.forward(impulse, delayRe, delayIm)
        let energy = 0
        for (let k = 0; k <= size / 2; k++) {
          const re = real[k] ?? 0
          const im = imaginary[k] ?? 0
          energy += (re * re + im * im) * (k === 0 || k === size / 2 ? 1 : 2)
          real[k] = re * (delayRe[k] ?? 0) - im * (delayIm[k] ?? 0)
          imaginary[k] = re * (delayIm[k] ?? 0) + im * (delayRe[k] ?? 0)
        }
        expect(energy / size).toBeCloseTo(
          samples.reduce((sum, x) => sum + x * x, 0),
          10
        )
        const shifted = new Float64Array(size)
        fft.inverse(real, imaginary, shifted)
        for (let n = 0; n < size; n++) expect(shifted[(n + delay) % size]).toBeCloseTo(samples[n] ?? Number.NaN, 12)
      })
    )
  })

  it.each([0, 8, 24, 100, 131_072, -16, 16.5, Number.NaN])('refuses size %d', (size) => {
    expect(() => new RealFft(size)).toThrow(/power of two, 16 to 65536/)
  })
})
