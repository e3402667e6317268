import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXIT_CODES, SwarmError } from '../../../src/errors.ts'
import { NPY_HEADER_BYTES_MAX, type NpyDtype } from '../../../src/tasks/matrix/npy-header.ts'
import { readNpyHeader } from '../../../src/tasks/matrix/npy-open.ts'
import { headerText, npyBytes, npyFile, readerOf } from './npy-fixtures.ts'
import { goldenNpy } from './npy-golden.ts'

/** Opens what lies in memory. Whatever the file says, no read may be longer than a header can be. */
function open(file: Uint8Array): ReturnType<typeof readNpyHeader> {
  const { mostBytes, readAt } = readerOf(file)
  try {
    return readNpyHeader('A.npy', file.byteLength, readAt)
  } finally {
    expect(mostBytes()).toBeLessThanOrEqual(NPY_HEADER_BYTES_MAX)
  }
}

function codeOf(file: Uint8Array): string {
  try {
    open(file)
  } catch (error) {
    if (error instanceof SwarmError && error.exitCode === EXIT_CODES.usage) return error.code
    throw error
  }
  return 'taken'
}

const REFUSED = ['NPY_MALFORMED', 'NPY_UNSUPPORTED', 'NPY_LENGTH']

describe('opening', () => {
  test('takes any shape, order, type and version, and reads no more than the header', () => {
    const extent = fc.integer({ min: 1, max: 12 })
    const dtype = fc.constantFrom<NpyDtype>('float32', 'float64')
    fc.assert(
      fc.property(extent, extent, dtype, fc.boolean(), fc.constantFrom(1, 2, 3), (...args) => {
        const [rows, cols, dtype, fortranOrder, version] = args
        const file = npyFile(new Float64Array(rows * cols), rows, cols, { dtype, fortranOrder, version })
        expect(open(file)).toMatchObject({ rows, cols, dtype, fortranOrder, version })
      })
    )
  })

  test('names file, expected and found bytes when the length does not fit', () => {
    const file = goldenNpy('float32, 2 by 3')
    expect(() => open(file.subarray(0, 151))).toThrow(/A\.npy should have 152 bytes .*, but has 151: it was cut/)
    expect(() => open(Buffer.concat([file, Buffer.of(0)]))).toThrow(/A\.npy should have 152 bytes .*, but has 153/)
    expect(codeOf(file.subarray(0, 128))).toBe('NPY_LENGTH')
  })
})

describe('malformed files', () => {
  test.each(['float32, 2 by 3', 'float64, column-major', 'version 2.0', 'version 3.0'] as const)(
    'refuses %s when it is cut, wherever that is',
    (name) => {
      const file = goldenNpy(name)
      for (let length = 0; length < file.byteLength; length++) {
        const expected = length < 128 ? 'NPY_MALFORMED' : 'NPY_LENGTH'
        expect(`${length} ${codeOf(file.subarray(0, length))}`).toBe(`${length} ${expected}`)
      }
    }
  )

  test('refuses a header whose text is cut, with a length that fits the cut', () => {
    const text = headerText('(2, 3)')
    for (let length = 0; length < text.lastIndexOf('}'); length++) {
      for (const version of [1, 2, 3]) {
        expect(codeOf(npyBytes(text.slice(0, length), version, new Uint8Array(24)))).toBe('NPY_MALFORMED')
      }
    }
  })

  test('refuses a header that lies about its length', () => {
    for (const [name, byteLength] of [
      ['float32, 2 by 3', 2],
      ['version 2.0', 4]
    ] as const) {
      const honest = new DataView(goldenNpy(name).buffer).getUint16(8, true)
      for (let told = 0; told < 2 ** (8 * byteLength); told = told < 200 ? told + 1 : told * 2) {
        if (told === honest) continue
        const file = goldenNpy(name)
        Buffer.from(file.buffer).writeUIntLE(told, 8, byteLength)
        expect(REFUSED).toContain(codeOf(file))
      }
    }
  })

  test('refuses huge, negative and overflowing shapes', () => {
    const extents = [-1, 0, 1, 3, 2 ** 31, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1, 2 ** 53, 1e300].map((extent) =>
      BigInt(extent).toString()
    )
    for (const rows of extents) {
      for (const cols of extents) {
        for (const descr of ["'<f4'", "'<f8'"]) {
          const file = npyBytes(headerText(`(${rows}, ${cols})`, descr), 1, new Uint8Array(20))
          expect(REFUSED).toContain(codeOf(file))
        }
      }
    }
  })

  test('refuses or takes any change of bytes, but always in words', () => {
    const golden = goldenNpy('float32, 2 by 3')
    const change = fc.tuple(fc.integer({ min: 0, max: 127 }), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const file = golden.slice()
        for (const [index, byte] of changes) file[index] = byte
        expect([...REFUSED, 'taken']).toContain(codeOf(file))
      }),
      { numRuns: 500 }
    )
  })
})
