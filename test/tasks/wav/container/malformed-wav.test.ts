import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SwarmError } from '../../../../src/errors.ts'
import { CHUNKS_MAX } from '../../../../src/tasks/wav/container/chunk.ts'
import { DATA_SEARCH_BYTES } from '../../../../src/tasks/wav/container/find-data-header.ts'
import { parseWav, type WavFile } from '../../../../src/tasks/wav/container/parse-wav.ts'
import { NOTICES_MAX, WINDOW_BYTES } from '../../../../src/tasks/wav/container/wav-scan.ts'
import { ByteFile, bytesOf, chunk, extensibleBody, fmtBody, refusalOf, riff, SOUND, u32, u64 } from './wav-bytes.ts'

const CODES = ['WAV_MALFORMED', 'WAV_UNKNOWN', 'WAV_UNSUPPORTED', 'INPUT_EMPTY']
/** What a file of a few chunks may cost to look at. */
const FEW_READS = 12

const PLAIN = riff(
  chunk('bext', bytesOf('abc')),
  chunk('fmt ', fmtBody()),
  chunk('data', SOUND),
  chunk('LIST', bytesOf('INFO', 'ISFT', u32(4), 'test'))
)
const EXTENSIBLE = riff(
  chunk('fmt ', extensibleBody({ tag: 3, bits: 32 }, 32, 3)),
  chunk('fact', bytesOf(u32(2))),
  chunk('data', new Uint8Array(16))
)
const LONG = bytesOf(
  'RF64',
  u32(0xffff_ffff),
  'WAVE',
  chunk('ds64', bytesOf(u64(90), u64(16), u64(4), u32(1), 'axml', u64(6))),
  chunk('fmt ', fmtBody()),
  'data',
  u32(0xffff_ffff),
  SOUND
)
const SEEDS = [PLAIN, EXTENSIBLE, LONG]

/** Parses; what is refused is refused as the contract says. */
function parseOrRefuse(file: ByteFile, salvage: boolean): WavFile | SwarmError {
  try {
    const parsed = parseWav(file, { salvage })
    const { dataOffset, dataBytes, frameBytes, shape, before, after, notices } = parsed
    expect(dataBytes).toBe(shape.frames * frameBytes)
    expect(shape.frames).toBeGreaterThan(0)
    expect(notices.length).toBeLessThanOrEqual(NOTICES_MAX + 1)
    for (const range of [...before, ...after, { offset: dataOffset, byteLength: dataBytes }]) {
      expect(range.offset).toBeGreaterThanOrEqual(12)
      expect(range.offset + range.byteLength).toBeLessThanOrEqual(file.byteLength)
    }
    return parsed
  } catch (error) {
    if (!(error instanceof SwarmError)) throw error
    expect(CODES).toContain(error.code)
    expect(error.message).toContain(file.path)
    expect(error.message).toMatch(/byte \d+/)
    return error
  }
}

describe('malformed files are read or refused, never worse', () => {
  const names = ['plain', 'extensible', 'RF64'] as const

  test.each(names)('a %s file cut at each byte', (name) => {
    const bytes = SEEDS[names.indexOf(name)] as Uint8Array
    for (let length = 0; length < bytes.byteLength; length++) {
      for (const salvage of [false, true]) {
        const file = new ByteFile(bytes.subarray(0, length))
        const isSalvaged = !(parseOrRefuse(file, salvage) instanceof SwarmError)
        expect(file.readCount).toBeLessThanOrEqual(FEW_READS)
        if (salvage && bytes === EXTENSIBLE) expect(isSalvaged).toBe(length >= bytes.byteLength - 8)
      }
    }
  })

  test.each(names)('a %s file with each byte set to extremes', (name) => {
    const seed = SEEDS[names.indexOf(name)] as Uint8Array
    for (let index = 0; index < seed.byteLength; index++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const bytes = Uint8Array.from(seed)
        bytes[index] = value
        for (const salvage of [false, true]) {
          const file = new ByteFile(bytes)
          parseOrRefuse(file, salvage)
          expect(file.readCount).toBeLessThanOrEqual(FEW_READS)
        }
      }
    }
  })

  test.each(names)('a %s file with lengths that lie in every place', (name) => {
    const seed = SEEDS[names.indexOf(name)] as Uint8Array
    for (let index = 0; index + 4 <= seed.byteLength; index++) {
      for (const length of [0, 1, 2, 7, 15, 1000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff]) {
        const bytes = Uint8Array.from(seed)
        bytes.set(u32(length), index)
        const file = new ByteFile(bytes)
        parseOrRefuse(file, false)
        expect(file.readCount).toBeLessThanOrEqual(FEW_READS)
      }
    }
  })

  test('mutated headers', () => {
    const mutation = fc.record({ at: fc.nat(200), value: fc.integer({ min: 0, max: 255 }) })
    fc.assert(
      fc.property(
        fc.constantFrom(...SEEDS),
        fc.array(mutation, { maxLength: 8 }),
        fc.nat(300),
        fc.boolean(),
        (seed, mutations, byteLength, salvage) => {
          const bytes = Uint8Array.from(seed)
          for (const { at, value } of mutations) bytes[at % bytes.byteLength] = value
          const file = new ByteFile(bytes, byteLength)
          parseOrRefuse(file, salvage)
          expect(file.readBytes).toBeLessThanOrEqual(FEW_READS * WINDOW_BYTES)
        }
      ),
      { numRuns: 1000 }
    )
  })

  test('chunks of any kind in any order', () => {
    const anyChunk = fc
      .tuple(
        fc.constantFrom('fmt ', 'data', 'LIST', 'ds64', 'fact', 'JUNK', 'abcd', '\0\0\0\0'),
        fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(fmtBody())),
        fc.oneof(fc.constant(undefined), fc.nat(60), fc.constant(0xffff_ffff))
      )
      .map(([id, body, length]) => chunk(id, body, length))
    fc.assert(
      fc.property(
        fc.array(anyChunk, { maxLength: 12 }),
        fc.constantFrom('RIFF', 'RF64'),
        fc.boolean(),
        (chunks, magic, salvage) => {
          const bytes = riff(...chunks)
          bytes.set(bytesOf(magic))
          parseOrRefuse(new ByteFile(bytes), salvage)
        }
      ),
      { numRuns: 1000 }
    )
  })

  test('bytes of any kind', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (bytes, salvage) => {
        parseOrRefuse(new ByteFile(bytes), salvage)
        parseOrRefuse(new ByteFile(bytesOf('RIFF', u32(0), 'WAVE', bytes)), salvage)
      })
    )
  })
})

describe('what a file costs to look at', () => {
  test('refuses a million tiny chunks after few reads, before the audio and behind it', () => {
    const tiny = new Uint8Array(8_000_000)
    for (let offset = 0; offset < tiny.byteLength; offset += 8) tiny.set([0x61, 0x62, 0x63, 0x64, 0, 0, 0, 0], offset)
    const front = [bytesOf('RIFF', u32(0), 'WAVE'), chunk('fmt ', fmtBody())]
    for (const start of [front, [...front, chunk('data', SOUND)]]) {
      const head = bytesOf(...start)
      const bytes = new Uint8Array(head.byteLength + tiny.byteLength)
      bytes.set(head)
      bytes.set(tiny, head.byteLength)
      for (const salvage of [false, true]) {
        const file = new ByteFile(bytes)
        expect(refusalOf(() => parseWav(file, { salvage }))).toMatchObject({
          code: 'WAV_MALFORMED',
          message: expect.stringContaining(`expected at most ${CHUNKS_MAX} chunks`)
        })
        expect(file.readCount).toBeLessThan(30)
        expect(file.readBytes).toBeLessThan(30 * WINDOW_BYTES)
      }
    }
  })

  test('searches for lost audio no further than its limit', () => {
    const bytes = bytesOf('RIFF', u32(0), 'WAVE', chunk('fmt ', fmtBody()), [0, 0, 0, 0, 0, 0, 0, 0])
    const file = new ByteFile(bytes, 2 ** 40)
    expect(refusalOf(() => parseWav(file, { salvage: true })).code).toBe('WAV_MALFORMED')
    expect(file.readBytes).toBeLessThan(1.1 * DATA_SEARCH_BYTES)
  })

  test('keeps few notices of many', () => {
    const unpadded = bytesOf('bext', u32(1), 'x')
    const bytes = riff(chunk('fmt ', fmtBody()), ...new Array<Uint8Array>(100).fill(unpadded), chunk('data', SOUND))
    const { notices } = parseWav(new ByteFile(bytes), { salvage: false })
    expect(notices).toHaveLength(NOTICES_MAX + 1)
    expect(notices.at(-1)).toBe('and more of the kind')
  })
})
