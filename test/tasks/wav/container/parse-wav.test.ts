import { describe, expect, test } from 'vitest'
import { EXIT_CODES } from '../../../../src/errors.ts'
import { parseWav } from '../../../../src/tasks/wav/container/parse-wav.ts'
import { WINDOW_BYTES } from '../../../../src/tasks/wav/container/wav-scan.ts'
import {
  ByteFile,
  bytesOf,
  chunk,
  extensibleBody,
  fmtBody,
  parse,
  refusalOf,
  riff,
  SOUND,
  u16,
  u32,
  u64
} from './wav-bytes.ts'

const FMT = chunk('fmt ', fmtBody())
const DATA = chunk('data', SOUND)
const LIST = chunk('LIST', bytesOf('INFO', 'ISFT', u32(4), 'test'))

function audioOf(bytes: Uint8Array, salvage = false): Uint8Array {
  const { dataOffset, dataBytes } = parse(bytes, salvage)
  return bytes.subarray(dataOffset, dataOffset + dataBytes)
}

describe('sample formats', () => {
  test.each([
    ['u8', 1, 8],
    ['s16', 1, 16],
    ['s24', 1, 24],
    ['s32', 1, 32],
    ['f32', 3, 32],
    ['f64', 3, 64]
  ] as const)('reads %s, plain and extensible', (encoding, tag, bits) => {
    const frameBytes = (bits / 8) * 2
    const data = chunk('data', new Uint8Array(frameBytes * 3))
    const plain = parse(riff(chunk('fmt ', fmtBody({ tag, bits })), data))
    expect(plain).toEqual({
      shape: { sampleRate: 48_000, channels: 2, frames: 3 },
      encoding,
      frameBytes,
      dataOffset: 44,
      dataBytes: frameBytes * 3,
      before: [],
      after: [],
      container: 'riff',
      notices: []
    })
    const extensible = parse(riff(chunk('fmt ', extensibleBody({ tag, bits }, bits, 3)), data))
    expect(extensible).toEqual({ ...plain, dataOffset: 68, channelMask: 3 })
  })

  test.each([1, 2, 6, 32])('reads %i channels', (channels) => {
    const bytes = riff(chunk('fmt ', extensibleBody({ channels }, 16, 0)), chunk('data', new Uint8Array(channels * 4)))
    expect(parse(bytes)).toMatchObject({ shape: { channels, frames: 2 }, channelMask: 0 })
  })

  test.each([8000, 11_025, 384_000])('reads %i Hz', (sampleRate) => {
    expect(parse(riff(chunk('fmt ', fmtBody({ sampleRate })), DATA)).shape.sampleRate).toBe(sampleRate)
  })

  test('takes 20 valid bits of 24 as they lie', () => {
    const body = extensibleBody({ bits: 24 }, 20, 3)
    const file = parse(riff(chunk('fmt ', body), chunk('data', new Uint8Array(12))))
    expect(file).toMatchObject({ encoding: 's24', notices: ['its samples have 20 valid bits of 24'] })
  })

  test('takes 12 bits in 16 of a plain format, and more valid bits than there are', () => {
    expect(parse(riff(chunk('fmt ', fmtBody({ bits: 12 })), DATA)).encoding).toBe('s16')
    const file = parse(riff(chunk('fmt ', extensibleBody({}, 24, 3)), DATA))
    expect(file.notices).toEqual(['at byte 38, it claims 24 valid bits of 16; all are taken'])
  })

  test('takes Ambisonic files, with a notice', () => {
    const tail = [0, 0, 0x21, 0x07, 0xd3, 0x11, 0x86, 0x44, 0xc8, 0xc1, 0xca, 0, 0, 0]
    const bytes = riff(chunk('fmt ', extensibleBody({ channels: 4 }, 16, 0, tail)), DATA)
    expect(parse(bytes)).toMatchObject({ shape: { channels: 4 }, notices: [expect.stringContaining('Ambisonic')] })
  })

  test.each([
    ['Microsoft ADPCM', { tag: 2, bits: 4 }],
    ['A-law', { tag: 6, bits: 8 }],
    ['mu-law', { tag: 7, bits: 8 }],
    ['MP3', { tag: 0x55, bits: 0 }],
    ['0x1234', { tag: 0x1234, bits: 16 }],
    ['at most 32 bits', { bits: 64 }],
    ['32 or 64 bits', { tag: 3, bits: 16 }],
    ['1 to 32 channels', { channels: 33 }],
    ['8000 to 384000 Hz', { sampleRate: 4000 }],
    ['8000 to 384000 Hz', { sampleRate: 4_000_000_000 }]
  ])('refuses what is not read, naming it: %s', (named, fields) => {
    const error = refusalOf(() => parse(riff(chunk('fmt ', fmtBody(fields)), DATA)))
    expect(error).toMatchObject({ code: 'WAV_UNSUPPORTED', exitCode: EXIT_CODES.usage })
    expect(error.message).toContain(named)
    expect(error.message).toMatch(/^\/sound\/show\.wav .* at byte (20|22|24|34), /)
  })

  test('names the codec of an extensible format, and shows an unknown sub-format', () => {
    const muLaw = chunk('fmt ', extensibleBody({ tag: 7, bits: 8 }, 8, 3))
    expect(refusalOf(() => parse(riff(muLaw, DATA))).message).toMatch(/at byte 44, .*mu-law/)
    const strange = chunk('fmt ', extensibleBody({}, 16, 3, new Array<number>(14).fill(0xee)))
    expect(refusalOf(() => parse(riff(strange, DATA)))).toMatchObject({
      code: 'WAV_UNSUPPORTED',
      message: expect.stringContaining('0100eeee')
    })
  })

  test.each([
    ['no channels', { channels: 0 }, 22],
    ['no rate', { sampleRate: 0 }, 24],
    ['no bits', { bits: 0, blockAlign: 4 }, 34],
    ['a block align that does not fit', { blockAlign: 3 }, 32]
  ])('refuses %s', (_, fields, offset) => {
    const error = refusalOf(() => parse(riff(chunk('fmt ', fmtBody(fields)), DATA)))
    expect(error.code).toBe('WAV_MALFORMED')
    expect(error.message).toContain(`/sound/show.wav is no valid WAV file: at byte ${offset}, expected`)
  })

  test('salvages a block align that does not fit, and bears a wrong byte rate', () => {
    const file = parse(riff(chunk('fmt ', fmtBody({ blockAlign: 3, byteRate: 5 })), DATA), true)
    expect(file.frameBytes).toBe(4)
    expect(file.notices).toHaveLength(2)
    expect(parse(riff(chunk('fmt ', fmtBody({ byteRate: 5 })), DATA)).notices).toHaveLength(1)
  })
})

describe('chunks', () => {
  test('keeps unknown chunks on their side, and leaves out filling and what is written anew', () => {
    const odd = chunk('bext', bytesOf('abc'))
    const fact = chunk('fact', bytesOf(u32(4)))
    const bytes = riff(odd, chunk('JUNK', new Uint8Array(9)), FMT, fact, LIST, LIST, DATA, chunk('PAD ', SOUND), LIST)
    const file = parse(bytes)
    expect(audioOf(bytes)).toEqual(SOUND)
    expect(file.notices).toEqual([])
    const [first, second] = file.before
    expect(file.before).toHaveLength(2)
    expect(bytes.subarray(first?.offset, (first?.offset ?? 0) + (first?.byteLength ?? 0))).toEqual(odd)
    expect(second?.byteLength).toBe(LIST.byteLength * 2)
    expect(file.after).toEqual([{ offset: bytes.byteLength - LIST.byteLength, byteLength: LIST.byteLength }])
  })

  test('finds the next chunk where a writer forgot the padding', () => {
    const unpadded = bytesOf('bext', u32(3), 'abc')
    const mono = chunk('fmt ', fmtBody({ channels: 1, bits: 8 }))
    const data = bytesOf('data', u32(5), [1, 2, 3, 4, 5])
    const bytes = riff(unpadded, mono, data, LIST)
    const file = parse(bytes)
    expect(audioOf(bytes)).toEqual(Uint8Array.of(1, 2, 3, 4, 5))
    expect(file.before).toEqual([{ offset: 12, byteLength: 11 }])
    expect(file.after).toEqual([{ offset: bytes.byteLength - LIST.byteLength, byteLength: LIST.byteLength }])
    expect(file.notices).toEqual([expect.stringContaining('at byte 23,'), expect.stringContaining('padding')])
  })

  test('finds the next chunk behind padding that is not zero', () => {
    const bytes = riff(bytesOf('bext', u32(3), 'abcX'), FMT, DATA)
    expect(audioOf(bytes)).toEqual(SOUND)
    expect(parse(bytes).notices).toEqual([])
  })

  test('bears padding that is missing at the end', () => {
    const bytes = riff(chunk('fmt ', fmtBody({ channels: 1, bits: 8 })), bytesOf('data', u32(3), [1, 2, 3]))
    expect(parse(bytes)).toMatchObject({ shape: { frames: 3 }, notices: [] })
  })

  test('leaves out what is no chunk behind the audio, and a second audio or format', () => {
    const id3 = bytesOf('TAG', new Uint8Array(125).fill(0x41))
    expect(parse(bytesOf(riff(FMT, DATA), id3))).toMatchObject({ shape: { frames: 4 }, after: [] })
    const twice = parse(riff(FMT, FMT, DATA, DATA))
    expect(twice.after).toEqual([])
    expect(twice.notices).toEqual([
      expect.stringContaining('second chunk "fmt "'),
      expect.stringContaining('second chunk "data"')
    ])
    expect(parse(riff(FMT, DATA, new Uint8Array(1000))).notices).toEqual([
      expect.stringContaining('the last 1000 bytes')
    ])
  })

  test('refuses a chunk that was cut behind the audio, or leaves it out', () => {
    const bytes = riff(FMT, DATA, chunk('LIST', SOUND, 5000))
    expect(refusalOf(() => parse(bytes))).toMatchObject({
      code: 'WAV_MALFORMED',
      message: expect.stringMatching(/at byte 60, chunk "LIST" .*--salvage/)
    })
    expect(parse(bytes, true)).toMatchObject({ shape: { frames: 4 }, after: [] })
  })

  test('refuses to keep more than 64 MiB beside the audio, or leaves it out', () => {
    const bytes = bytesOf('RIFF', u32(0), 'WAVE', FMT, DATA, 'LIST', u32(64 * 1024 * 1024 + 2))
    const open = (salvage: boolean) => parseWav(new ByteFile(bytes, 70 * 1024 * 1024), { salvage })
    expect(refusalOf(() => open(false))).toMatchObject({ code: 'WAV_UNSUPPORTED' })
    expect(open(true).after).toEqual([])
  })

  test('refuses a lying chunk before the audio, or searches the audio behind it', () => {
    const bytes = riff(FMT, chunk('LIST', SOUND, 900_000), DATA)
    expect(refusalOf(() => parse(bytes)).message).toMatch(/at byte 36, expected chunk "LIST" to end within .*--salvage/)
    expect(audioOf(bytes, true)).toEqual(SOUND)
    const without = riff(FMT, chunk('LIST', SOUND, 900_000))
    expect(refusalOf(() => parse(without, true)).code).toBe('WAV_MALFORMED')
  })

  test.each([
    ['no format before the audio', riff(DATA, FMT), 12],
    ['no audio', riff(FMT, LIST), 60],
    ['no chunk at all', riff(), 12],
    ['a name that is none', riff(FMT, bytesOf([0, 0, 0, 0], u32(0))), 36],
    ['a format that is too short', riff(chunk('fmt ', new Uint8Array(14)), DATA), 12],
    ['an extensible format that is too short', riff(chunk('fmt ', fmtBody({ tag: 0xfffe })), DATA), 12]
  ])('refuses %s', (_, bytes, offset) => {
    const error = refusalOf(() => parse(bytes))
    expect(error.code).toBe('WAV_MALFORMED')
    expect(error.message).toContain(`at byte ${offset},`)
  })

  test.each([
    ['nothing', bytesOf()],
    ['another kind', bytesOf('fLaC', new Uint8Array(100))],
    ['another form of RIFF', bytesOf('RIFF', u32(100), 'AVI ', new Uint8Array(100))]
  ])('says that %s is no WAV file', (_, bytes) => {
    expect(refusalOf(() => parse(bytes))).toMatchObject({
      code: 'WAV_UNKNOWN',
      exitCode: EXIT_CODES.usage,
      message: expect.stringMatching(/^\/sound\/show\.wav is no WAV file: at byte [08], expected/)
    })
  })

  test('refuses big-endian files by name', () => {
    expect(refusalOf(() => parse(bytesOf('RIFX', u32(4), 'WAVE')))).toMatchObject({ code: 'WAV_UNSUPPORTED' })
  })
})

describe('lengths of audio', () => {
  const audio = (length: number, ...more: readonly Uint8Array[]) =>
    riff(FMT, bytesOf('data', u32(length), SOUND), ...more)

  test.each([0, 0xffff_ffff, 0x7fff_ffff, 0x8000_0000, 0x7fff_f000])(
    'takes all to the end for the length %i of a streaming writer',
    (length) => {
      const file = parse(audio(length))
      expect(file).toMatchObject({ shape: { frames: 4 }, notices: [expect.stringContaining('streaming')] })
    }
  )

  test('leaves out the padding behind streamed audio', () => {
    const fmt = chunk('fmt ', fmtBody({ channels: 1, bits: 24 }))
    const bytes = riff(fmt, bytesOf('data', u32(0xffff_ffff), new Uint8Array(9), [0]))
    expect(parse(bytes).shape.frames).toBe(3)
  })

  test('refuses no audio at all, with chunks behind it or none', () => {
    for (const more of [[], [LIST], [LIST, LIST]]) {
      const bytes = riff(FMT, chunk('data', new Uint8Array(0)), ...more)
      expect(refusalOf(() => parse(bytes))).toMatchObject({ code: 'INPUT_EMPTY', exitCode: EXIT_CODES.usage })
    }
  })

  test('refuses cut audio, or takes what is there', () => {
    const error = refusalOf(() => parse(audio(4000)))
    expect(error.code).toBe('WAV_MALFORMED')
    expect(error.message).toContain(
      'at byte 44, expected 4000 bytes of audio, but the file ends after 16; with --salvage'
    )
    expect(parse(audio(4000), true)).toMatchObject({
      dataBytes: 16,
      notices: [expect.stringContaining('expected 4000')]
    })
  })

  test('refuses a partial frame, or leaves it out', () => {
    const bytes = riff(FMT, chunk('data', SOUND.subarray(0, 15)))
    expect(refusalOf(() => parse(bytes)).message).toMatch(/at byte 56, expected whole frames of 4 bytes.*--salvage/)
    expect(parse(bytes, true)).toMatchObject({ shape: { frames: 3 }, dataBytes: 12 })
  })

  test('bears a wrong length of the file, with a notice', () => {
    const bytes = riff(FMT, DATA)
    bytes.set(u32(7), 4)
    expect(parse(bytes).notices).toEqual(['at byte 4, it says that 7 bytes follow, but there are 52'])
  })
})

describe('RF64 and BW64', () => {
  const long = (magic: string, riffBytes: number, dataBytes: number, table: readonly number[] = []) =>
    bytesOf(
      magic,
      u32(0xffff_ffff),
      'WAVE',
      chunk('ds64', bytesOf(u64(riffBytes), u64(dataBytes), u64(0), u32(table.length / 12), table))
    )

  test.each([
    ['RF64', 'rf64'],
    ['BW64', 'bw64']
  ])('reads %s above 4 GiB without touching the audio', (magic, container) => {
    const dataBytes = 6 * 2 ** 30
    const head = bytesOf(long(magic, 72 + dataBytes, dataBytes), FMT, 'data', u32(0xffff_ffff))
    const file = new ByteFile(head, head.byteLength + dataBytes)
    expect(parseWav(file, { salvage: false })).toMatchObject({
      container,
      shape: { frames: dataBytes / 4 },
      dataOffset: 80,
      notices: []
    })
    expect(file.readBytes).toBeLessThanOrEqual(2 * WINDOW_BYTES)
  })

  test('takes long lengths of other chunks from the table, and leaves those chunks out', () => {
    const table = [...bytesOf('axml', u64(6))]
    const axml = bytesOf('axml', u32(0xffff_ffff), new Uint8Array(6))
    const bytes = bytesOf(long('RF64', 0, 16, table), FMT, axml, 'data', u32(0xffff_ffff), SOUND)
    const file = parse(bytes)
    expect(audioOf(bytes)).toEqual(SOUND)
    expect(file.before).toEqual([])
    expect(file.notices).toEqual([expect.stringContaining('"axml"'), expect.stringContaining('at byte 4')])
  })

  test('believes a length of 32 bits where the data chunk has one', () => {
    const bytes = bytesOf(long('RF64', 0, 5), FMT, DATA)
    expect(audioOf(bytes)).toEqual(SOUND)
  })

  test('leaves out padding that the writer counted as audio, by the count of frames', () => {
    const ds64 = chunk('ds64', bytesOf(u64(0), u64(4), u64(3), u32(0)))
    const fmt = chunk('fmt ', fmtBody({ channels: 1, bits: 8 }))
    const bytes = bytesOf('RF64', u32(0xffff_ffff), 'WAVE', ds64, fmt, 'data', u32(0xffff_ffff), [1, 2, 3, 0])
    expect(audioOf(bytes)).toEqual(Uint8Array.of(1, 2, 3))
  })

  test('takes all to the end of a streamed file', () => {
    for (const length of [0, 2 ** 64 - 2048]) {
      const lengths = length === 0 ? u64(0) : new Array<number>(8).fill(255)
      const ds64 = chunk('ds64', bytesOf(u64(0), lengths, u64(0), u32(0)))
      const bytes = bytesOf('RF64', u32(0xffff_ffff), 'WAVE', ds64, FMT, 'data', u32(0xffff_ffff), SOUND)
      expect(audioOf(bytes)).toEqual(SOUND)
    }
  })

  test('refuses a file without long lengths, or reads it without', () => {
    const bytes = bytesOf('RF64', u32(0xffff_ffff), 'WAVE', FMT, 'data', u32(0xffff_ffff), SOUND)
    expect(refusalOf(() => parse(bytes)).message).toMatch(/at byte 12, expected chunk "ds64".*--salvage/)
    expect(audioOf(bytes, true)).toEqual(SOUND)
    const short = bytesOf('RF64', u32(0xffff_ffff), 'WAVE', chunk('ds64', new Uint8Array(16)), FMT, DATA)
    expect(refusalOf(() => parse(short, true)).code).toBe('WAV_MALFORMED')
  })

  test('refuses audio that is cut', () => {
    const bytes = bytesOf(long('RF64', 0, 6 * 2 ** 30), FMT, 'data', u32(0xffff_ffff), SOUND)
    expect(refusalOf(() => parse(bytes)).message).toContain(
      'expected 6442450944 bytes of audio, but the file ends after 16'
    )
    expect(parse(bytes, true).dataBytes).toBe(16)
  })
})

test('reads the values that a header has byte for byte', () => {
  const bytes = bytesOf(
    'RIFF',
    u32(40),
    'WAVE',
    'fmt ',
    u32(16),
    u16(1),
    u16(1),
    u32(44_100),
    u32(88_200),
    u16(2),
    u16(16),
    'data',
    u32(4),
    [1, 0, 255, 255]
  )
  expect(parse(bytes)).toMatchObject({
    shape: { sampleRate: 44_100, channels: 1, frames: 2 },
    encoding: 's16',
    dataOffset: 44
  })
})
