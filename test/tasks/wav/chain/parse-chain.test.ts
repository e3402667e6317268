import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXIT_CODES } from '../../../../src/errors.ts'
import { CHAIN_CHARS_MAX, CHAIN_EFFECTS_MAX } from '../../../../src/tasks/wav/chain/chain.ts'
import { formatChain } from '../../../../src/tasks/wav/chain/format-chain.ts'
import { parseChain } from '../../../../src/tasks/wav/chain/parse-chain.ts'
import { formatSetting, readSetting } from '../../../../src/tasks/wav/chain/read-setting.ts'
import { CATALOGUE } from '../../../../src/tasks/wav/effects/catalogue.ts'
import type { EffectKind, Parameter } from '../../../../src/tasks/wav/effects/effect.ts'

function parsed(text: string): readonly unknown[] {
  return parseChain(text).map(({ kind, settings }) => [kind.name, settings])
}

describe('parseChain', () => {
  test('reads effects in SoX’s words, with fallbacks filled in', () => {
    expect(parsed('highpass 80, eq 3000 1.2q -4, bass 6dB')).toEqual([
      ['highpass', { frequency: 80, width: '0.7071067811865476q', poles: '2' }],
      ['eq', { frequency: 3000, width: '1.2q', gain: -4 }],
      ['bass', { gain: 6, frequency: 100, width: '0.5s' }]
    ])
  })

  test('reads the empty chain', () => {
    expect(parsed('')).toEqual([])
    expect(parsed(' \t\n')).toEqual([])
  })

  test('reads numbers with units, without the error of a product', () => {
    expect(parsed('lowpass 3.5kHz 0.7, lowpass 4.1k 100Hz, lowpass 440Hz 0.1k, lowpass +.5e1 2O')).toMatchObject([
      ['lowpass', { frequency: 3500, width: '0.7q' }],
      ['lowpass', { frequency: 4100, width: '100h' }],
      ['lowpass', { frequency: 440, width: '100h' }],
      ['lowpass', { frequency: 5, width: '2o' }]
    ])
  })

  test('reads times in seconds, parts of them, hours and samples', () => {
    expect(parsed('pad 1.5 250ms, trim 1:30, trim 1:02:03.5 048000s')).toEqual([
      ['pad', { before: 1.5, after: 0.25 }],
      ['trim', { start: 90 }],
      ['trim', { start: 3723.5, length: '48000s' }]
    ])
  })

  test('takes every parameter by name, after the positional ones', () => {
    expect(parsed('eq 3000 gain=-4 width=1.2q')).toEqual(parsed('eq 3000 1.2q -4'))
    expect(parsed('bass gain=3')).toEqual(parsed('bass 3'))
    expect(parsed('bass 3 width="0.7s"')).toEqual(parsed('bass 3 100 0.7s'))
  })

  test.each([
    ['gain 3,', 8, 'expected an effect'],
    [', gain 3', 1, 'expected an effect'],
    ['gain 3, , invert', 8, 'expected an effect'],
    ['gain 3,,invert', 8, 'expected an effect'],
    ['hihgpass 80', 1, 'did you mean highpass?'],
    ['gain 3,  equalizer 3000 1q 3', 10, 'did you mean eq?'],
    ['GAIN 3', 1, 'did you mean gain?'],
    ['swap', 1, 'did you mean channels swap?'],
    ['wobble 3', 1, 'Effects: gain, '],
    ['gain', 1, "for 'gain' of gain after 'gain', but nothing follows. Usage: gain <gain>"],
    ['eq 3000 1q', 9, "for 'gain' of eq after '1q', but nothing follows"],
    ['gain loud', 6, "a gain in dB such as -4 or -4dB, from -240 to 240 for 'gain' of gain, but got 'loud'"],
    ['gain 3k', 6, "got '3k'"],
    ['gain 241', 6, 'from -240 to 240'],
    ['gain 1e999', 6, 'from -240 to 240'],
    ['gain NaN', 6, "got 'NaN'"],
    ['highpass 80 0.7z', 13, "a width with q, o or h behind it (q without), from 0.001 to 192000 for 'width'"],
    ['highpass 80 0.7s', 13, "got '0.7s'"],
    ['highpass -80', 10, 'a frequency in Hz'],
    ['trim 1:60', 6, 'a time such as'],
    ['trim 1:60:00', 6, 'a time such as'],
    ['trim -1', 6, 'a time such as'],
    ['trim 1.5s', 6, 'a time such as'],
    ['fade 1 curve=linaer', 8, 'did you mean linear?'],
    ['gain 3 4', 8, "a comma or the end after 1 value of gain, but got '4'"],
    ['invert now', 8, 'after 0 values of invert'],
    ['invert at=once', 8, 'expected nothing behind invert'],
    ['highpass 80 pole=1', 13, 'did you mean poles?'],
    ['bass 3 frequency=80 100', 21, "expected name=value after 'frequency=80'"],
    ['bass 3 gain=4', 8, "expected 'gain' once"],
    ['eq 3000 1.2 q -4', 13, "got 'q' (did you mean 1.2q?)"],
    ['gain 3 dB', 8, "got 'dB' (did you mean 3dB?)"],
    ['gain "3', 6, 'the text ends'],
    ['gain ""', 6, "got ''"],
    [`gain ${'9'.repeat(100)}`, 6, `got '${'9'.repeat(60)}…'`]
  ])('refuses %j at column %d', (text, column, problem) => {
    expect(() => parseChain(text)).toThrowError(
      expect.objectContaining({
        code: 'CHAIN_INVALID',
        exitCode: EXIT_CODES.usage,
        message: expect.stringContaining(`effects, column ${column}: `)
      })
    )
    expect(() => parseChain(text)).toThrowError(problem)
  })

  test('refuses a text that is too long, and too many effects', () => {
    const most = Array.from({ length: CHAIN_EFFECTS_MAX }, () => 'invert').join(', ')
    expect(parseChain(most)).toHaveLength(CHAIN_EFFECTS_MAX)
    expect(() => parseChain(`${most}, invert`)).toThrowError(/column \d+: expected at most 64 effects, but got 65/)
    expect(() => parseChain(' '.repeat(CHAIN_CHARS_MAX))).not.toThrow()
    expect(() => parseChain(' '.repeat(CHAIN_CHARS_MAX + 1))).toThrowError(/expected at most 4096 characters/)
  })

  test('gives a chain or CHAIN_INVALID for any text', () => {
    const words = fc.constantFrom('gain', 'eq', 'trim', ' ', ',', '"', "'", '=', '3', '1q', 'frequency', '1:2', '48s')
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(words).map((parts) => parts.join(''))
    )
    fc.assert(
      fc.property(texts, (text) => {
        try {
          parseChain(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CHAIN_INVALID' })
        }
      }),
      { numRuns: 500 }
    )
  })
})

function settingWord(parameter: Parameter): fc.Arbitrary<string> {
  const { min = -1e6, max = 1e6 } = parameter
  const number = fc.double({ min, max, noNaN: true })
  switch (parameter.kind) {
    case 'choice':
      return fc.constantFrom(...(parameter.choices ?? ['0.5:0.5/1:0', '1']))
    case 'file':
      return fc.string({ minLength: 1, maxLength: 12 }).filter((path) => !path.includes('\0'))
    case 'time':
      return fc.oneof(
        number.map(String),
        fc.nat(100_000).map((samples) => `${samples}s`)
      )
    case 'width':
    case 'level':
      return fc.tuple(number, fc.constantFrom('', ...(parameter.units ?? ['q']))).map((parts) => parts.join(''))
    default:
      return number.map(String)
  }
}

function effectText(kind: EffectKind): fc.Arbitrary<string> {
  const words = fc.tuple(
    ...kind.parameters.map((parameter) => fc.tuple(settingWord(parameter), fc.boolean(), fc.boolean()))
  )
  return words.map((parts) => {
    let named = false
    const text = [kind.name]
    for (const [index, [word, leftOut, byName]] of parts.entries()) {
      const parameter = kind.parameters[index] as Parameter
      if (leftOut && (parameter.optional === true || parameter.fallback !== undefined)) {
        named = true
        continue
      }
      named ||= byName
      const quotedWord = `'${word.replaceAll("'", "''")}'`
      text.push(named ? `${parameter.name}=${quotedWord}` : quotedWord)
    }
    return text.join(' ')
  })
}

const effectTexts = fc.constantFrom(...CATALOGUE).chain(effectText)
const chainTexts = fc.array(effectTexts, { maxLength: 8 }).map((effects) => effects.join(', '))

describe('formatChain', () => {
  test.each([
    ['highpass 80Hz, eq 3k 1.20q -4dB', 'highpass 80, eq 3000 1.2q -4'],
    ['highpass 80 poles=2', 'highpass 80'],
    ['highpass 80 poles=1', 'highpass 80 0.7071067811865476q 1'],
    ['bass 3 width=0.7s', 'bass 3 100 0.7s'],
    ['trim 1:30 250ms', 'trim 90 0.25'],
    ['trim 0100s', 'trim 100s'],
    ['gain -0', 'gain 0'],
    ['bandpass 1k 200', 'bandpass 1000 200h'],
    ['', '']
  ])('writes %j as %j', (text, normal) => {
    expect(formatChain(parseChain(text))).toBe(normal)
  })

  test('is read as the same chain, for chains of all effects', () => {
    fc.assert(
      fc.property(chainTexts, (text) => {
        const chain = parseChain(text)
        const normal = formatChain(chain)
        expect(parseChain(normal)).toEqual(chain)
        expect(formatChain(parseChain(normal))).toBe(normal)
      }),
      { numRuns: 300 }
    )
  })
})

describe('the catalogue', () => {
  test('has unique names, of effects and of their parameters', () => {
    const names = CATALOGUE.map((kind) => kind.name)
    expect(new Set(names).size).toBe(names.length)
    for (const { parameters } of CATALOGUE) {
      expect(new Set(parameters.map(({ name }) => name)).size).toBe(parameters.length)
    }
  })

  test('has fallbacks that are read as they stand, and required parameters before all others', () => {
    for (const { parameters } of CATALOGUE) {
      for (const [index, parameter] of parameters.entries()) {
        if (parameter.fallback !== undefined) {
          expect(readSetting(parameter, String(parameter.fallback))).toBe(parameter.fallback)
          expect(formatSetting(parameter.fallback)).toBe(String(parameter.fallback))
          continue
        }
        if (parameter.optional !== true) {
          const before = parameters.slice(0, index)
          expect(before.every(({ fallback, optional }) => fallback === undefined && optional !== true)).toBe(true)
        }
      }
    }
  })
})
