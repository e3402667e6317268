import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXIT_CODES, SwarmError } from '../../../src/errors.ts'
import {
  encodeNpyHeader,
  NPY_HEADER_BYTES_MAX,
  NPY_PRELUDE_BYTES,
  npyDataOffset,
  npyFileBytes,
  parseNpyHeader
} from '../../../src/tasks/matrix/npy-header.ts'
import { headerText, npyBytes } from './npy-fixtures.ts'
import { goldenNpy } from './npy-golden.ts'

function errorOf(operation: () => unknown): SwarmError {
  try {
    operation()
  } catch (error) {
    if (error instanceof SwarmError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

function refusalOf(text: string, version = 1): SwarmError {
  return errorOf(() => parseNpyHeader(npyBytes(text, version), 'A.npy'))
}

describe('reading what NumPy wrote', () => {
  test.each([
    ['float32, 2 by 3', { version: 1, dtype: 'float32', fortranOrder: false, rows: 2, cols: 3 }],
    ['float32, 1 by 1', { version: 1, dtype: 'float32', fortranOrder: false, rows: 1, cols: 1 }],
    ['float32, column-major', { version: 1, dtype: 'float32', fortranOrder: true, rows: 2, cols: 3 }],
    ['float64, 3 by 2', { version: 1, dtype: 'float64', fortranOrder: false, rows: 3, cols: 2 }],
    ['float64, column-major', { version: 1, dtype: 'float64', fortranOrder: true, rows: 3, cols: 2 }],
    ['version 2.0', { version: 2, dtype: 'float32', fortranOrder: false, rows: 2, cols: 3 }],
    ['version 3.0', { version: 3, dtype: 'float32', fortranOrder: false, rows: 2, cols: 3 }]
  ] as const)('takes %s', (name, expected) => {
    const bytes = goldenNpy(name)
    const header = parseNpyHeader(bytes, 'A.npy')
    expect(header).toEqual({ ...expected, dataOffset: 128 })
    expect(npyDataOffset(bytes.subarray(0, NPY_PRELUDE_BYTES), 'A.npy')).toBe(128)
    expect(npyFileBytes(header)).toBe(bytes.byteLength)
  })

  test.each([
    ['float16', "'<f2'"],
    ['big-endian', "'>f4'"],
    ['int32', "'<i4'"],
    ['complex64', "'<c8'"],
    ['bool', "'|b1'"],
    ['structured', "[('a', '<f4'), ('b', '<i2', (2,))]"],
    ['one dimension', '(6,)'],
    ['three dimensions', '(1, 2, 3)'],
    ['no dimensions', '()'],
    ['no rows', '(0, 3)']
  ] as const)('refuses %s, and says what it found', (name, found) => {
    const error = errorOf(() => parseNpyHeader(goldenNpy(name), '/home/me/A.npy'))
    expect(error).toMatchObject({ code: 'NPY_UNSUPPORTED', exitCode: EXIT_CODES.usage })
    expect(error.message).toContain('/home/me/A.npy')
    expect(error.message).toContain('expected')
    expect(error.message).toContain(found)
  })
})

describe('the dict in the header', () => {
  test.each([
    ["{'descr':'<f4','fortran_order':False,'shape':(2,3)}"],
    [`{"shape": (2, 3,), "descr": "<f4", "fortran_order": False}`],
    ["  {\n\t'fortran_order' : False ,\r\n 'shape' : ( 2 , 3 ) , 'descr' : '<f4' , } \f \n"],
    ["{'shape': (2L, 3L), 'descr': '<f4', 'fortran_order': False}"],
    ["{'shape': ((2), +3), 'descr': ('<f4'), 'fortran_order': (False)}"]
  ])('may be written as %j', (text) => {
    for (const version of [1, 2, 3]) {
      expect(parseNpyHeader(npyBytes(text, version), 'A.npy')).toMatchObject({ rows: 2, cols: 3, fortranOrder: false })
    }
  })

  test.each([
    [' '.repeat(9), 'expected { at character 9 of its header, but found its end'],
    ['{        ', 'expected a key in quotes or }'],
    ['[]', 'expected { at character 0'],
    ['{}', 'expected the keys descr, fortran_order, shape'],
    ["{'descr'}", 'expected : at character 8'],
    ["{'descr': }", 'expected a string, whole number'],
    ["{'descr': '<f4' 'shape': (2, 3)}", 'expected , or }'],
    ["{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}", 'only once'],
    ["{'descr': '<f4', 'fortran_order': False}", 'but found descr, fortran_order'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}", 'but found descr, fortran_order, more'],
    [headerText('(2, 3)', "'\\x3cf4'"), 'expected a string'],
    [headerText('(2, 3)', "u'<f4'"), 'expected a string'],
    [headerText('(2, 3)', "'''<f4'''"), 'expected , or }'],
    [headerText('(2, 3)', "'<f4' + ''"), 'expected , or }'],
    [headerText('(2, 3)', "'<f4"), 'expected , or }'],
    [headerText('(2, 3)', "'<f4'", 'false'), 'expected a string'],
    [headerText('(2, 3)', "'<f4'", 'Falsehood'), 'expected a string'],
    [headerText('(2, 3)', "'<f4'", '0'), 'expected fortran_order to be True or False, but found 0'],
    [headerText('(2, 3)', "'<f4'", 'None'), 'expected fortran_order to be True or False, but found None'],
    [headerText('2'), 'expected its shape to be a tuple, but found 2'],
    [headerText('(2)'), 'expected its shape to be a tuple, but found 2'],
    [headerText('[2, 3]'), 'expected its shape to be a tuple, but found [2, 3]'],
    [headerText("'(2, 3)'"), 'expected its shape to be a tuple'],
    [headerText('(-2, 3)'), 'but found (-2, 3)'],
    [headerText('(True, 3)'), 'but found (True, 3)'],
    [headerText("('2', 3)"), "but found ('2', 3)"],
    [headerText('((2, 3), 3)'), 'but found ((2, 3), 3)'],
    [headerText('(9007199254740992, 1)'), 'but found (9007199254740992, 1)'],
    [headerText(`(${'9'.repeat(400)}, 1)`), 'but found (Infinity, 1)'],
    [headerText('(2., 3)'), 'expected a string'],
    [headerText('(2e3, 3)'), 'expected a string'],
    [headerText('(1_000, 3)'), 'expected a string'],
    [headerText('(0x10, 3)'), 'expected a string'],
    [headerText('(012, 3)'), 'expected a string'],
    [headerText('(2 3)'), 'expected , or )'],
    [headerText('(,)'), 'expected a string'],
    [headerText('(2,, 3)'), 'expected a string'],
    [headerText('(1 + 1, 3)'), 'expected , or )'],
    [headerText('__import__("os")'), 'expected a string'],
    [`${headerText('(2, 3)')}# more`, 'expected nothing more'],
    [`${headerText('(2, 3)')}\0`, 'expected nothing more'],
    [headerText('(2, 3)', '['.repeat(40) + ']'.repeat(40)), 'nested no deeper than 16']
  ])('is refused as %j', (text, problem) => {
    const error = refusalOf(text)
    expect(error).toMatchObject({ code: 'NPY_MALFORMED', exitCode: EXIT_CODES.usage })
    expect(error.message).toContain('A.npy is no valid .npy file: expected')
    expect(error.message).toContain(problem)
  })

  test.each([
    [headerText('(94906267, 94906267)')],
    [headerText('(9007199254740991, 9007199254740991)')],
    [headerText('(2251799813685248, 1)')],
    [headerText('(1125899906842624, 1)', "'<f8'")]
  ])('is refused for a shape that reaches beyond 2^53 bytes: %s', (text) => {
    expect(refusalOf(text)).toMatchObject({ code: 'NPY_UNSUPPORTED' })
  })

  test('never makes a message longer than a screen', () => {
    const long = 'x'.repeat(60_000)
    for (const text of [
      long,
      `{'${long}': 1}`,
      headerText('(2, 3)', `'${long}'`),
      headerText(`(${'1,'.repeat(20_000)})`)
    ]) {
      expect(refusalOf(text).message.length).toBeLessThan(400)
    }
  })
})

describe('what lies before the dict', () => {
  test.each([
    ['an empty file', new Uint8Array(0), 'but found nothing'],
    ['raw samples', new Uint8Array(64), 'but found 00 00 00 00 00 00'],
    ['a zip archive', Buffer.from('PK\x03\x04 and more of it'), 'but found 50 4b 03 04 20 61'],
    ['a magic that is cut', Buffer.from('\x93NUM', 'latin1'), 'but found 93 4e 55 4d'],
    ['a prelude that is cut', npyBytes('').subarray(0, 9), 'expected at least 12 bytes, but it has 9']
  ])('refuses %s', (_, bytes, problem) => {
    const error = errorOf(() => npyDataOffset(bytes, 'A.npy'))
    expect(error.code).toBe('NPY_MALFORMED')
    expect(error.message).toContain(problem)
  })

  test.each([
    [0, 0],
    [4, 0],
    [1, 1],
    [3, 7],
    [255, 255]
  ])('refuses version %i.%i', (major, minor) => {
    const bytes = goldenNpy('float32, 2 by 3')
    bytes.set([major, minor], 6)
    const error = errorOf(() => parseNpyHeader(bytes, 'A.npy'))
    expect(error.code).toBe('NPY_UNSUPPORTED')
    expect(error.message).toContain(`${major}.${minor}`)
  })

  test('refuses a header longer than 64 KiB from its length alone', () => {
    const prelude = npyBytes('', 2)
    for (const length of [NPY_HEADER_BYTES_MAX, 2 ** 31, 2 ** 32 - 1]) {
      new DataView(prelude.buffer, prelude.byteOffset).setUint32(8, length, true)
      expect(errorOf(() => npyDataOffset(prelude, 'A.npy')).message).toContain(`it tells ${length + 12}`)
    }
  })

  test('takes a header of just 64 KiB', () => {
    const text = headerText('(2, 3)').trimEnd()
    const bytes = npyBytes(text.padEnd(NPY_HEADER_BYTES_MAX - NPY_PRELUDE_BYTES), 2)
    expect(parseNpyHeader(bytes, 'A.npy').dataOffset).toBe(NPY_HEADER_BYTES_MAX)
  })
})

describe('writing', () => {
  test('gives the bytes that numpy.save gives', () => {
    for (const [name, rows, cols] of [
      ['float32, 2 by 3', 2, 3],
      ['float32, 1 by 1', 1, 1]
    ] as const) {
      expect(encodeNpyHeader(rows, cols)).toEqual(goldenNpy(name).subarray(0, 128))
    }
  })

  test.each([
    [4096, 4096, 'ea59965cc81e53ff2bda49bdff33422a7a3887c5d473e0b543d476e2a6314420'],
    [1000, 700, 'c82f3013268a06d90028970b40f0e01b75468721cf95564cc2199f592db4e6fe'],
    [1, 1_000_000, 'eb0ab610cbc9684a9dc6a86efeb0d4a0a9cb2507e9b04473cf7141ce58c51124'],
    [1_000_000, 1, '21b7b02bd3570be6adb0cf2205cbd991394a68146cf887a0e34f6a9549e7855f'],
    [9, 10, '8282913e08cf8fc4dd3d3a1f98674e3962149b3100d573180c58e8a41bb53da0'],
    [2 ** 30, 2 ** 20, 'e437bc8d525379ca8b2eebf5597989179fcbe8dd55d7a72ad27cf3147c7a50f2']
  ])('gives the header that NumPy gives for %i by %i', (rows, cols, sha256) => {
    expect(createHash('sha256').update(encodeNpyHeader(rows, cols)).digest('hex')).toBe(sha256)
  })

  test('is read again as it was written', () => {
    const extent = fc.oneof(fc.integer({ min: 1, max: 2 ** 25 - 1 }), fc.integer({ min: 1, max: 20 }))
    fc.assert(
      fc.property(extent, extent, (rows, cols) => {
        const bytes = encodeNpyHeader(rows, cols)
        const header = { version: 1, dtype: 'float32', fortranOrder: false, rows, cols, dataOffset: bytes.byteLength }
        expect(parseNpyHeader(bytes, 'A.npy')).toEqual(header)
        expect(bytes.byteLength % 64).toBe(0)
      })
    )
  })

  test.each([
    [0, 3],
    [3, -1],
    [1.5, 2],
    [Number.NaN, 2],
    [2 ** 53, 1],
    [2 ** 31, 2 ** 20]
  ])('refuses %d by %d', (rows, cols) => {
    expect(() => encodeNpyHeader(rows, cols)).toThrow(RangeError)
  })
})
