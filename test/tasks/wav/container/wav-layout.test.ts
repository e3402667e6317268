import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SAMPLE_BYTES, type SampleEncoding } from '../../../../src/tasks/wav/audio-format.ts'
import { parseWav } from '../../../../src/tasks/wav/container/parse-wav.ts'
import { layOutWav, partBytes } from '../../../../src/tasks/wav/container/wav-layout.ts'
import {
  assemble,
  ByteFile,
  bytesOf,
  chunk,
  extensibleBody,
  fmtBody,
  parse,
  riff,
  SOUND,
  u16,
  u32,
  u64
} from './wav-bytes.ts'

const NONE = { before: [], after: [] }
const ENCODINGS: readonly SampleEncoding[] = ['u8', 's16', 's24', 's32', 'f32', 'f64']

function headOf(encoding: SampleEncoding, channels: number, frames: number, channelMask?: number): Uint8Array {
  const shape = { sampleRate: 48_000, channels, frames }
  const layout = layOutWav({ shape, encoding, ...(channelMask === undefined ? {} : { channelMask }) }, NONE)
  const bytes = assemble(layout, new Uint8Array(0), new Uint8Array(layout.audioBytes))
  expect(bytes.byteLength).toBe(layout.byteLength)
  return bytes.subarray(0, layout.audioOffset)
}

describe('headers byte for byte', () => {
  test.each([
    ['u8', 1, 8],
    ['u8', 2, 8],
    ['s16', 1, 16],
    ['s16', 2, 16]
  ] as const)('writes %s of %i channels plain', (encoding, channels, bits) => {
    const dataBytes = 2 * channels * (bits / 8)
    const riffBytes = 36 + dataBytes + (dataBytes % 2)
    const expected = bytesOf(
      'RIFF',
      u32(riffBytes),
      'WAVE',
      chunk('fmt ', fmtBody({ channels, bits })),
      'data',
      u32(dataBytes)
    )
    expect(headOf(encoding, channels, 2)).toEqual(expected)
  })

  test.each([
    ['f32', 1, 32],
    ['f64', 2, 64]
  ] as const)('writes %s of %i channels plain, with fact', (encoding, channels, bits) => {
    const fmt = chunk('fmt ', bytesOf(fmtBody({ tag: 3, channels, bits }), u16(0)))
    const dataBytes = 5 * channels * (bits / 8)
    const fact = chunk('fact', bytesOf(u32(5)))
    const expected = bytesOf('RIFF', u32(50 + dataBytes), 'WAVE', fmt, fact, 'data', u32(dataBytes))
    expect(headOf(encoding, channels, 5)).toEqual(expected)
  })

  test.each([
    ['s24', 1, 24, 0x4],
    ['s24', 2, 24, 0x3],
    ['s32', 2, 32, 0x3],
    ['s16', 6, 16, 0],
    ['u8', 3, 8, 0]
  ] as const)('writes %s of %i channels extensible', (encoding, channels, bits, mask) => {
    const fmt = chunk('fmt ', extensibleBody({ channels, bits }, bits, mask))
    const dataBytes = 2 * channels * (bits / 8)
    const expected = bytesOf('RIFF', u32(60 + dataBytes), 'WAVE', fmt, 'data', u32(dataBytes))
    expect(headOf(encoding, channels, 2)).toEqual(expected)
  })

  test('writes floats of many channels extensible with fact, and the mask that it is given', () => {
    const fmt = chunk('fmt ', extensibleBody({ tag: 3, channels: 6, bits: 32 }, 32, 0x8000_003f))
    const expected = bytesOf('RIFF', u32(72 + 48), 'WAVE', fmt, chunk('fact', bytesOf(u32(2))), 'data', u32(48))
    expect(headOf('f32', 6, 2, 0x8000_003f)).toEqual(expected)
  })

  test('turns to RF64 exactly where 32 bits end', () => {
    const at = (frames: number) =>
      layOutWav({ shape: { sampleRate: 48_000, channels: 1, frames }, encoding: 'u8' }, NONE)
    const last = at(0xffff_ffff - 37)
    expect(last).toMatchObject({ container: 'riff', byteLength: 2 ** 32 + 6, audioOffset: 44 })
    const first = at(0xffff_ffff - 35)
    expect(first).toMatchObject({ container: 'rf64', audioOffset: 80, byteLength: 80 + 2 ** 32 - 36 })
    const [front, data] = first.parts
    const dataBytes = 2 ** 32 - 36
    const ds64 = chunk('ds64', bytesOf(u64(72 + dataBytes), u64(dataBytes), u64(dataBytes), u32(0)))
    const expected = bytesOf('RF64', u32(0xffff_ffff), 'WAVE', ds64, chunk('fmt ', fmtBody({ channels: 1, bits: 8 })))
    expect(front).toEqual({ kind: 'bytes', bytes: expected })
    expect(data).toEqual({ kind: 'bytes', bytes: bytesOf('data', u32(dataBytes)) })
    expect(at(6e9)).toMatchObject({ container: 'rf64', audioBytes: 6e9 })
  })

  test.each([0, 33, 1.5])('refuses %d channels', (channels) => {
    const shape = { sampleRate: 48_000, channels, frames: 1 }
    expect(() => layOutWav({ shape, encoding: 's16' }, NONE)).toThrow(RangeError)
  })

  test('refuses a file beyond all bounds', () => {
    const shape = { sampleRate: 48_000, channels: 2, frames: 2 ** 52 }
    expect(() => layOutWav({ shape, encoding: 's16' }, NONE)).toThrow(RangeError)
  })
})

test('reads an RF64 head that it wrote', () => {
  const shape = { sampleRate: 96_000, channels: 8, frames: 3e8 }
  const layout = layOutWav({ shape, encoding: 's24', channelMask: 0x63f }, NONE)
  const head = bytesOf(...layout.parts.flatMap((part) => (part.kind === 'bytes' ? [part.bytes] : [])))
  expect(parseWav(new ByteFile(head, layout.byteLength), { salvage: false })).toEqual({
    shape,
    encoding: 's24',
    frameBytes: 24,
    channelMask: 0x63f,
    dataOffset: layout.audioOffset,
    dataBytes: layout.audioBytes,
    before: [],
    after: [],
    container: 'rf64',
    notices: []
  })
})

test('puts kept chunks back where they were, with the padding they lacked', () => {
  const bext = bytesOf('bext', u32(3), 'abc')
  const list = chunk('LIST', bytesOf('INFO'))
  const cue = bytesOf('cue ', u32(1), 'x')
  const source = riff(bext, list, chunk('fmt ', fmtBody()), list, chunk('data', SOUND), list, cue)
  const file = parse(source)
  expect(file.before).toHaveLength(3)
  const shape = { ...file.shape, frames: 3, channels: 1 }
  const layout = layOutWav({ shape, encoding: 'u8' }, file)
  const written = assemble(layout, source, Uint8Array.of(1, 2, 3))
  const fmt = chunk('fmt ', fmtBody({ channels: 1, bits: 8 }))
  const data = chunk('data', Uint8Array.of(1, 2, 3))
  expect(written).toEqual(riff(fmt, chunk('bext', bytesOf('abc')), list, list, data, list, chunk('cue ', bytesOf('x'))))
  expect(written.byteLength).toBe(layout.byteLength)
  expect(parse(written).notices).toEqual([])
})

test('reads what it lays out, whatever it is', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ENCODINGS),
      fc.integer({ min: 1, max: 32 }),
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 8000, max: 384_000 }),
      fc.array(fc.uint8Array({ maxLength: 9 }), { maxLength: 4 }),
      (encoding, channels, frames, sampleRate, bodies) => {
        const shape = { sampleRate, channels, frames }
        const chunks = bytesOf(...bodies.map((body) => chunk('LIST', body)))
        const kept = bodies.length === 0 ? [] : [{ offset: 0, byteLength: chunks.byteLength }]
        const layout = layOutWav({ shape, encoding }, { before: kept, after: kept })
        const audio = new Uint8Array(layout.audioBytes).fill(7)
        const written = assemble(layout, chunks, audio)
        const file = parse(written)
        expect(file).toMatchObject({ shape, encoding, dataOffset: layout.audioOffset, notices: [] })
        expect(file.frameBytes).toBe(channels * SAMPLE_BYTES[encoding])
        expect(layout.audioOffset % 2).toBe(0)
        expect(layout.parts.reduce((sum, part) => sum + partBytes(part), 0)).toBe(layout.byteLength)
        expect(written.byteLength).toBe(layout.byteLength)
        for (const ranges of [file.before, file.after]) {
          expect(
            bytesOf(...ranges.map((range) => written.subarray(range.offset, range.offset + range.byteLength)))
          ).toEqual(chunks)
        }
      }
    )
  )
})
