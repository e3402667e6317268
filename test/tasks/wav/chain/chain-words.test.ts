import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutWords, quoteWord } from '../../../../src/tasks/wav/chain/chain-words.ts'

function texts(text: string): readonly string[][] {
  return cutWords(text).map(({ words }) => words.map((word) => word.text))
}

describe('cutWords', () => {
  test('keeps commas, spaces and doubled quotes within quotes', () => {
    expect(texts(`a "b c, d" 'it''s', "say ""hi"""`)).toEqual([['a', 'b c, d', "it's"], ['say "hi"']])
  })

  test('joins quoted and bare parts, and knows where the first bare = is', () => {
    const [group] = cutWords(`path="x=y z".wav "a=b"`)
    expect(group?.words).toEqual([
      { text: 'path=x=y z.wav', column: 1, equals: 4 },
      { text: 'a=b', column: 18, equals: -1 }
    ])
  })

  test('says where groups and words begin', () => {
    const groups = cutWords('a  b,c')
    expect(groups.map(({ column }) => column)).toEqual([1, 6])
    expect(groups.flatMap(({ words }) => words.map((word) => word.column))).toEqual([1, 4, 6])
  })

  test('refuses a quote without an end, and says where it began', () => {
    expect(() => cutWords('a "b')).toThrowError(
      expect.objectContaining({ code: 'CHAIN_INVALID', message: expect.stringContaining('column 3') })
    )
  })

  test('reads what quoteWord wrote, for any content', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (content) => {
        expect(cutWords(`a ${quoteWord(content)},b`)[0]?.words[1]).toEqual({ text: content, column: 3, equals: -1 })
      })
    )
  })
})
