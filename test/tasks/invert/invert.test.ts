import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXIT_CODES, SwarmError } from '../../../src/errors.ts'
import { invert } from '../../../src/tasks/invert/invert.ts'

const plain = { kind: 'invert', params: new Uint8Array(0), reverse: false }
const reversed = { ...plain, reverse: true }
const samples = fc.uint32Array({ minLength: 1, maxLength: 300 })

/** Bits of special values: ±0, ±Inf, quiet and signalling NaNs with payloads, denormals. */
const SPECIAL = [0, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0x7fa00001, 0xff812345, 0x7fffffff, 1, 0x807fffff]

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer.slice(0))
}

function wordsOf(bytes: Uint8Array): number[] {
  return [...new Uint32Array(bytes.slice().buffer)]
}

describe('invert', () => {
  test('negates ordinary samples', () => {
    const input = new Uint8Array(Float32Array.of(1.5, -2, 0.25, -0).buffer)
    const result = invert.run(input, plain)
    expect([...new Float32Array(result.slice().buffer)]).toEqual([-1.5, 2, -0.25, 0])
  })

  test('reverses by sample when asked', () => {
    const result = invert.run(new Uint8Array(Float32Array.of(1, 2, 3).buffer), reversed)
    expect([...new Float32Array(result.slice().buffer)]).toEqual([-3, -2, -1])
  })

  test('flips exactly the sign bit of zeros, infinities, denormals and NaNs', () => {
    const result = invert.run(bytesOf(Uint32Array.from(SPECIAL)), reversed)
    expect(wordsOf(result)).toEqual(SPECIAL.map((bits) => (bits ^ 0x80000000) >>> 0).reverse())
  })

  test('does what the definition says to any bits, at any length and alignment', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), fc.nat(9), (words, reverse, shift) => {
        const held = new Uint8Array(words.byteLength + shift)
        held.set(bytesOf(words), shift)
        const result = invert.run(held.subarray(shift), { ...plain, reverse })
        const expected = [...words].map((bits) => (bits ^ 0x80000000) >>> 0)
        expect(wordsOf(result)).toEqual(reverse ? expected.reverse() : expected)
      })
    )
  })

  test('is its own inverse', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), (words, reverse) => {
        const call = { ...plain, reverse }
        expect(wordsOf(invert.run(invert.run(bytesOf(words), call), call))).toEqual([...words])
      })
    )
  })

  test('works in place', () => {
    const input = bytesOf(Uint32Array.of(1, 2, 3))
    expect(invert.run(input, reversed).buffer).toBe(input.buffer)
  })

  test('reports rising progress up to its length', () => {
    const seen: number[] = []
    invert.run(new Uint8Array(2_500_000), plain, (bytesDone) => seen.push(bytesDone))
    expect(seen).toEqual(seen.toSorted((left, right) => left - right))
    expect(seen.at(-1)).toBe(2_500_000)
  })

  test('counts samples', () => {
    expect(invert.units(635_040_000, { params: new Uint8Array(0), inputBytes: 635_040_000 })).toBe(158_760_000)
  })
})

describe('checking an input', () => {
  test('takes whole samples', () => {
    expect(() => invert.checkInput(4)).not.toThrow()
    expect(() => invert.checkInput(635_040_000)).not.toThrow()
  })

  test('refuses an empty file', () => {
    expect(() => invert.checkInput(0)).toThrow(
      expect.objectContaining({ code: 'INPUT_EMPTY', exitCode: EXIT_CODES.usage })
    )
  })

  test('says of a wrong length what it is, what it must be, and what to cut', () => {
    const refused = expect.objectContaining({ code: 'INPUT_LENGTH', exitCode: EXIT_CODES.usage })
    expect(() => invert.checkInput(1003)).toThrow(refused)
    expect(() => invert.checkInput(1003)).toThrow(/1003 bytes.*multiple of 4.*3 too many.*1000 bytes/s)
  })

  test('refuses parameters', () => {
    const call = { ...plain, params: Uint8Array.of(1) }
    expect(() => invert.run(new Uint8Array(4), call)).toThrow(SwarmError)
    expect(() => invert.run(new Uint8Array(4), call)).toThrow(expect.objectContaining({ code: 'PARAMS_INVALID' }))
  })
})

describe('verifying a result', () => {
  test('passes every true result and leaves it as it was', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), (words, reverse) => {
        const call = { ...plain, reverse }
        const result = invert.run(bytesOf(words), call)
        const before = wordsOf(result)
        expect(invert.verify(bytesOf(words), result, call)).toBeUndefined()
        expect(wordsOf(result)).toEqual(before)
      })
    )
  })

  test('refuses any flipped bit and names its sample', () => {
    fc.assert(
      fc.property(samples, fc.boolean(), fc.nat(), fc.nat(31), (words, reverse, at, bit) => {
        const call = { ...plain, reverse }
        const result = invert.run(bytesOf(words), call)
        const index = at % words.length
        const byteIndex = index * 4 + (bit >> 3)
        result[byteIndex] = (result[byteIndex] ?? 0) ^ (1 << (bit & 7))
        expect(invert.verify(bytesOf(words), result, call)).toContain(`sample ${index} is`)
      })
    )
  })

  test('refuses a result of another length', () => {
    expect(invert.verify(new Uint8Array(8), new Uint8Array(4), plain)).toContain('4 bytes instead of 8')
  })
})
