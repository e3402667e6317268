import { multiaddr } from '@multiformats/multiaddr'
import { bech32m } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXIT_CODES, SwarmError } from '../../src/errors.ts'
import {
  formatJoinCode,
  JOIN_CODE_ADDRESSES_MAX,
  JOIN_CODE_CHARS_MAX,
  type JoinCode,
  parseJoinCode
} from '../../src/network/join-code.ts'

const PEER = '12D3KooWGtUKgURVwURrUbEZMqx9ZsXfMzvQ6RGZV7YJhDSVTR4p'
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const sample: JoinCode = {
  secret: Uint8Array.from({ length: 32 }, (_, index) => index),
  name: 'studio',
  addresses: [
    multiaddr(`/ip4/192.168.1.7/tcp/4001/p2p/${PEER}`),
    multiaddr(`/dns4/render.example/tcp/443/wss/p2p/${PEER}`)
  ]
}
const arbitraryCode = fc.record({
  secret: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  name: fc.string({ unit: fc.constantFrom('a', 'é', '日', '🎧', ' ', '-', 'Z'), minLength: 1, maxLength: 15 }),
  addresses: fc.array(
    fc
      .tuple(fc.ipV4(), fc.integer({ min: 1, max: 65535 }))
      .map(([ip, port]) => multiaddr(`/ip4/${ip}/tcp/${port}/p2p/${PEER}`)),
    { maxLength: JOIN_CODE_ADDRESSES_MAX }
  )
})

function refusal(text: string): SwarmError {
  try {
    parseJoinCode(text)
  } catch (error) {
    if (error instanceof SwarmError) {
      expect(error.exitCode).toBe(EXIT_CODES.usage)
      return error
    }
    throw error
  }
  throw new Error(`accepted ${text}`)
}

function encode(payload: readonly number[]): string {
  return bech32m.encode('swarm', bech32m.toWords(Uint8Array.from(payload)), false)
}

function texts(code: JoinCode): unknown {
  return { ...code, addresses: code.addresses.map(String) }
}

describe('join code', () => {
  test('reads back what it wrote', () => {
    fc.assert(
      fc.property(arbitraryCode, (code) => {
        const text = formatJoinCode(code)
        expect(text).toMatch(/^swarm1[a-z0-9]+$/)
        expect(texts(parseJoinCode(text))).toEqual(texts(code))
      })
    )
  })

  test('keeps its format', () => {
    expect(formatJoinCode({ ...sample, addresses: [] })).toBe(
      'swarm1qyqqzqsrqszsvpcgpy9qkrqdpc83qygjzv2p29shrqv35xcur50p7pnnw36kg6t0qqpc2jye'
    )
  })

  test('ignores white space, line wraps and upper case', () => {
    const text = formatJoinCode(sample)
    const wrapped = ` \n${text.slice(0, 40)}\r\n\t${text.slice(40)}\n`
    expect(texts(parseJoinCode(wrapped))).toEqual(texts(sample))
    expect(texts(parseJoinCode(text.toUpperCase()))).toEqual(texts(sample))
  })

  test('keeps the first addresses that fit', () => {
    const address = multiaddr(`/ip4/10.0.0.1/tcp/1/p2p/${PEER}`)
    const long = multiaddr(`/dns4/${'a'.repeat(600)}/tcp/1/p2p/${PEER}`)
    const text = formatJoinCode({ ...sample, addresses: [long, address, address, address, address] })
    expect(text.length).toBeLessThanOrEqual(JOIN_CODE_CHARS_MAX)
    expect(parseJoinCode(text).addresses.map(String)).toEqual([address, address, address].map(String))
  })
})

describe('join code refusals', () => {
  test('catches every substitution of one character', () => {
    const text = formatJoinCode(sample)
    for (let index = 0; index < text.length; index++) {
      for (const character of `${ALPHABET}1bio-`) {
        if (character !== text[index]) {
          expect(refusal(text.slice(0, index) + character + text.slice(index + 1)).code).toBe('JOIN_CODE_TYPO')
        }
      }
    }
  })

  test('catches a substitution, a swap or a cut at a random place of a random code', () => {
    fc.assert(
      fc.property(arbitraryCode, fc.nat(), fc.nat(), (code, at, by) => {
        const text = formatJoinCode(code)
        const index = 6 + (at % (text.length - 7))
        const other = ALPHABET[(ALPHABET.indexOf(text.charAt(index)) + 1 + (by % 31)) % 32]
        expect(refusal(text.slice(0, index) + other + text.slice(index + 1)).code).toBe('JOIN_CODE_TYPO')
        expect(refusal(text.slice(0, index)).code).toBe('JOIN_CODE_TYPO')
        if (text.charAt(index) !== text.charAt(index + 1)) {
          const swapped = text.slice(0, index) + text.charAt(index + 1) + text.charAt(index) + text.slice(index + 2)
          expect(refusal(swapped).code).toBe('JOIN_CODE_TYPO')
        }
      })
    )
  })

  test('names the mistake', () => {
    const text = formatJoinCode(sample)
    const flipped = text.slice(0, -1) + (text.endsWith('q') ? 'p' : 'q')
    expect(refusal(flipped).message).toContain('mistyped: checksum does not match')
    expect(refusal(`${text.slice(0, 9)}b${text.slice(10)}`).message).toContain('"b" at position 10')
    expect(refusal(text.replace('swarm1', 'sworm1')).message).toContain('"sworm1", expected "swarm1"')
    expect(refusal(text.replace('swarm', 'SWARM')).message).toContain('upper and lower case are mixed')
    expect(refusal(text.slice(0, 30)).message).toContain('cut off after 30 characters')
    expect(refusal(text + 'q'.repeat(1000)).message).toContain('expected at most 1023')
    expect(refusal('').message).toContain('expected "swarm1"')
  })

  test('says when another version wrote it', () => {
    const error = refusal(encode([2, ...new Array(40).fill(0)]))
    expect(error.code).toBe('JOIN_CODE_VERSION')
    expect(error.message).toContain('version 2')
  })

  test.each([
    ['name length', [1, ...new Array(32).fill(7), 64, ...new Array(64).fill(97), 0]],
    ['no name', [1, ...new Array(32).fill(7), 0, 0, 0, 0]],
    ['control characters', [1, ...new Array(32).fill(7), 2, 27, 91, 0]],
    ['UTF-8', [1, ...new Array(32).fill(7), 2, 0xff, 0xfe, 0]],
    ['cut field', [1, ...new Array(32).fill(7), 9, 97, 97, 97]],
    ['too many addresses', [1, ...new Array(32).fill(7), 1, 97, 4]],
    ['no multiaddr', [1, ...new Array(32).fill(7), 1, 97, 1, 0, 2, 0xff, 0xff]],
    ['address without peer', [1, ...new Array(32).fill(7), 1, 97, 1, 0, 8, 4, 127, 0, 0, 1, 6, 0, 80]],
    ['bytes left over', [1, ...new Array(32).fill(7), 1, 97, 0, 0]]
  ])('refuses a well-spelled code with bad content: %s', (_, payload) => {
    expect(refusal(encode(payload)).code).toBe('JOIN_CODE_MALFORMED')
  })

  test('never writes what it would not read', () => {
    expect(() => formatJoinCode({ ...sample, secret: new Uint8Array(31) })).toThrow('31 bytes')
    expect(() => formatJoinCode({ ...sample, name: '' })).toThrow('0 bytes')
    expect(() => formatJoinCode({ ...sample, name: 'x'.repeat(64) })).toThrow('64 bytes')
    expect(() => formatJoinCode({ ...sample, name: 'a\u001b[31m' })).toThrow('control characters')
    expect(() => formatJoinCode({ ...sample, addresses: [multiaddr('/ip4/1.2.3.4/tcp/5')] })).toThrow('/p2p/')
  })
})
