import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeAdvert, encodeAdvertCount, parseAdvert, parseAdvertCount } from '../../../protocols/advert/messages.ts'
import { JobAdvert } from '../../../protocols/advert/pb/advert.ts'
import type { Advert } from '../../../protocols/advert/types.ts'
import { WireError } from '../../../protocols/wire/wire-error.ts'
import { advert } from './advert-fixtures.ts'

const SELF = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const vectors = JSON.parse(readFileSync(new URL('../../vectors/advert.json', import.meta.url), 'utf8'), revive) as {
  count: { message: number; bytes: string }
  adverts: { message: Advert; bytes: string }[]
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('hex' in value)) return value
  return Uint8Array.from(Buffer.from(String(value.hex), 'hex'))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

describe('golden vectors', () => {
  test.each(vectors.adverts)('of an advert: $message.state', ({ message, bytes }) => {
    expect(hex(encodeAdvert(message, SELF))).toBe(bytes)
    expect(parseAdvert(bytesOf(bytes), SELF)).toEqual(message)
  })

  test('of the count of adverts', () => {
    expect(hex(encodeAdvertCount(vectors.count.message))).toBe(vectors.count.bytes)
    expect(parseAdvertCount(bytesOf(vectors.count.bytes))).toBe(vectors.count.message)
  })
})

const malformed = expect.objectContaining({ name: 'WireError', code: 'MESSAGE_MALFORMED' })

describe('an advert is refused when', () => {
  test.each<[string, Partial<Advert>]>([
    ['its job id is none', { jobId: 'nothing' }],
    ['its kind is no plain name', { kind: '../matrix' }],
    ['its submitter has no name', { submitterName: '' }],
    ['its parameters are too long', { params: new Uint8Array(8_193) }],
    ['its input is empty', { inputBytes: 0, mergedBytes: 0 }],
    ['its blocks are empty', { blockBytes: 0 }],
    ['its chunks are empty', { chunkBytesMax: 0 }],
    ['more is merged than there is', { mergedBytes: 1_000_001 }]
  ])('%s', (_name, change) => {
    const message = { ...advert(SELF), ...change }
    const bytes = JobAdvert.encode({ ...message, params: Uint8Array.from(message.params), closed: false })
    expect(() => parseAdvert(bytes, SELF)).toThrow(malformed)
    expect(() => encodeAdvert(message, SELF)).toThrow(malformed)
  })

  test('it is another peer’s', () => {
    const forged = expect.objectContaining({ code: 'SIGNATURE_INVALID' })
    expect(() => parseAdvert(encodeAdvert(advert(SELF), SELF), '12D3KooWother')).toThrow(forged)
    expect(() => encodeAdvert(advert(SELF), '12D3KooWother')).toThrow(forged)
  })

  test('it is longer than gossip carries', () => {
    expect(() => parseAdvert(new Uint8Array(16_385), SELF)).toThrow(malformed)
  })

  test('it is one of too many', () => {
    expect(() => encodeAdvertCount(65)).toThrow(malformed)
    expect(() => parseAdvertCount(Uint8Array.of(8, 65))).toThrow(malformed)
  })
})

test('random bytes are parsed or refused, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        parseAdvert(bytes, SELF)
      } catch (error) {
        expect(error).toBeInstanceOf(WireError)
      }
    })
  )
})
