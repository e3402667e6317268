import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as messages from '../../../protocols/ledger/messages.ts'
import { ExchangePart, LedgerGossip, LedgerRequest, PullPart } from '../../../protocols/ledger/pb/ledger.ts'
import { type RefusalCode, WireError } from '../../../protocols/wire/wire-error.ts'

interface Vector<Message> {
  readonly message: Message
  readonly bytes: string
}

const vectors = JSON.parse(readFileSync(new URL('../../vectors/ledger.json', import.meta.url), 'utf8'), revive) as {
  gossip: Vector<messages.GossipMessage>[]
  exchange: Vector<messages.ExchangeMessage>[]
  asks: Vector<messages.LedgerAsk>[]
  entries: Vector<messages.EntriesPart>[]
  refusals: Vector<RefusalCode>[]
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('hex' in value)) return value
  return Uint8Array.from(Buffer.from(String(value.hex), 'hex'))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

describe('golden vectors', () => {
  test.each(vectors.gossip)('of gossip: $message.type', ({ message, bytes }) => {
    expect(hex(messages.encodeGossip(message))).toBe(bytes)
    expect(messages.parseGossip(bytesOf(bytes))).toEqual(message)
  })

  test.each(vectors.exchange)('of an exchange: $message.type', ({ message, bytes }) => {
    expect(hex(messages.encodeExchange(message))).toBe(bytes)
    expect(messages.parseExchange(bytesOf(bytes))).toEqual(message)
  })

  test.each(vectors.asks)('of a request: $message.type', ({ message, bytes }) => {
    expect(hex(messages.encodeAsk(message))).toBe(bytes)
    expect(messages.parseAsk(bytesOf(bytes))).toEqual(message)
  })

  test.each(vectors.entries)('of entries, last: $message.last', ({ message, bytes }) => {
    expect(hex(messages.encodeEntries(message))).toBe(bytes)
    expect(messages.parseEntries(bytesOf(bytes))).toEqual(message)
  })

  test.each(vectors.refusals)('of refusal $message', ({ message, bytes }) => {
    expect(hex(messages.encodeRefusal(message))).toBe(bytes)
    expect(() => messages.parseEntries(bytesOf(bytes))).toThrow(
      expect.objectContaining({ code: 'REFUSED', refusal: message })
    )
  })
})

const malformed = expect.objectContaining({ name: 'WireError', code: 'MESSAGE_MALFORMED' })
const head = { author: '12D3KooWAuthor', sequence: 1, hash: new Uint8Array(32) }
const entry = Uint8Array.of(1)
const fork = { first: entry, second: entry }

describe('refused are', () => {
  test.each<[string, Parameters<typeof LedgerGossip.encode>[0]]>([
    ['gossip about nothing', {}],
    ['gossip about heads and a fork', { heads: [head], fork }],
    ['too many heads', { heads: Array.from({ length: 81 }, () => head) }],
    ['sequence 0', { heads: [{ ...head, sequence: 0 }] }],
    ['a short hash', { heads: [{ ...head, hash: new Uint8Array(31) }] }],
    ['an author that is no peer id', { heads: [{ ...head, author: 'no peer' }] }],
    ['an empty envelope', { fork: { ...fork, second: new Uint8Array(0) } }]
  ])('%s', (_name, message) => {
    expect(() => messages.parseGossip(LedgerGossip.encode(message))).toThrow(malformed)
  })

  test.each<[string, Parameters<typeof ExchangePart.encode>[0]]>([
    ['an exchange message without a body', {}],
    ['an end with heads', { heads: [head], end: true }],
    ['a fork entry with heads', { heads: [head], forkEntry: entry }],
    ['an entry that is too long', { forkEntry: new Uint8Array(61_441) }]
  ])('%s', (_name, message) => {
    expect(() => messages.parseExchange(ExchangePart.encode(message))).toThrow(malformed)
  })

  test.each<[string, Parameters<typeof LedgerRequest.encode>[0]]>([
    ['a request for nothing', {}],
    ['a request for two things', { exchange: {}, pull: { author: head.author, from: 1, to: 1 } }],
    ['a pull of no author', { pull: { author: '', from: 1, to: 1 } }]
  ])('%s', (_name, message) => {
    expect(() => messages.parseAsk(LedgerRequest.encode(message))).toThrow(malformed)
  })

  test.each<[string, Parameters<typeof PullPart.encode>[0]]>([
    ['too many entries', { entries: Array.from({ length: 33 }, () => entry) }],
    ['an empty entry', { entries: [new Uint8Array(0)] }],
    ['an unknown refusal', { refusal: 99 }]
  ])('%s', (_name, message) => {
    expect(() => messages.parseEntries(PullPart.encode(message))).toThrow(malformed)
  })

  test.each([
    [0, 1],
    [2, 1],
    [1, 1_048_577],
    [1.5, 2]
  ])('the range %d to %d', (from, to) => {
    const refused = expect.objectContaining({ code: 'REFUSED', refusal: 4 })
    expect(() => messages.encodeAsk({ type: 'pull', author: head.author, from, to })).toThrow(refused)
  })
})

test('random bytes are parsed or refused, never anything else', () => {
  const parsers = [messages.parseGossip, messages.parseExchange, messages.parseAsk, messages.parseEntries]
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const parse of parsers) {
        try {
          parse(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }
    })
  )
})

test('the longest heads fit one gossip message', () => {
  const longest = { author: 'z'.repeat(128), sequence: Number.MAX_SAFE_INTEGER, hash: new Uint8Array(32).fill(1) }
  const bytes = messages.encodeGossip({ type: 'heads', heads: Array.from({ length: 80 }, () => longest) })
  expect(bytes.byteLength).toBeLessThanOrEqual(16_384)
})
