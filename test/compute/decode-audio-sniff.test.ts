import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { id3ByteLength, sniffAudio } from '../../src/compute/decode-audio-sniff.ts'

const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0))
const ogg = (packet: string) => bytes(`OggS${'\0'.repeat(22)}\x01\x1e${packet}`)

describe('sniffAudio', () => {
  test.each([
    [bytes('RIFF\0\0\0\0WAVEfmt '), 'wav'],
    [bytes('RF64\xff\xff\xff\xffWAVEds64'), 'wav'],
    [bytes('RIFF\0\0\0\0AVI LIST'), 'avi'],
    [bytes('fLaC\0\0\0\x22'), 'flac'],
    [ogg('\x01vorbis\0\0'), 'ogg'],
    [ogg('OpusHead\x01\x02'), 'opus'],
    [ogg('\x7fFLAC\x01\0\0\0'), 'oggflac'],
    [ogg('Speex   1.2'), 'speex'],
    [bytes('\0\0\0\x1cftypM4A \0\0'), 'm4a'],
    [bytes('\0\0\0\x1cftypisom\0\0'), 'mp4'],
    [bytes('\0\0\0\x14ftypqt  \0\0'), 'mov'],
    [bytes('\0\0\0\x08wide\0\0\0\0mdat'), 'mov'],
    [bytes('\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x84webm'), 'webm'],
    [bytes('\x1aE\xdf\xa3\x9fB\x86\x81\x01B\x82\x88matroska'), 'mkv'],
    [bytes('FORM\0\0\0\0AIFFCOMM'), 'aiff'],
    [bytes('FORM\0\0\0\0AIFCFVER'), 'aiff'],
    [bytes('caff\0\x01\0\0'), 'caf'],
    [bytes('\xff\xf1P\x80\x02\x1f\xfc'), 'aac'],
    [bytes('\xff\xfd\x84\0'), 'mp2'],
    [bytes('\xff\xfb\x90\x64\0\0'), 'mp3'],
    [bytes('\x0b\x77\0\0'), 'ac3'],
    [bytes('\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9'), 'wma'],
    [bytes('hello, world'), undefined],
    [bytes('FORM\0\0\0\x008SVX'), undefined],
    [ogg('\x80theora'), undefined],
    [new Uint8Array(0), undefined]
  ])('tells %s', (head, format) => {
    expect(sniffAudio(head)).toBe(format)
  })

  test('wants a second frame where MP3 would have one', () => {
    const head = new Uint8Array(2000)
    head.set([0xff, 0xfb, 0x90, 0x64])
    expect(sniffAudio(head)).toBeUndefined()
    head.set([0xff, 0xfb, 0x90, 0x64], 417)
    expect(sniffAudio(head)).toBe('mp3')
  })

  test('takes any bytes without failing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (head) => {
        sniffAudio(head)
        expect(id3ByteLength(head)).toBeGreaterThanOrEqual(0)
      })
    )
  })
})

describe('id3ByteLength', () => {
  test('counts header, body and footer', () => {
    expect(id3ByteLength(bytes('ID3\x03\0\0\0\0\x02\x01'))).toBe(10 + 257)
    expect(id3ByteLength(bytes('ID3\x04\0\x10\0\0\0\x05'))).toBe(10 + 5 + 10)
    expect(id3ByteLength(bytes('fLaC'))).toBe(0)
  })
})
