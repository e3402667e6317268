import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeCauses, describeError } from '../../src/cli/describe-error.ts'
import { LINES_PER_SECOND_MAX, LineBudget } from '../../src/cli/line-budget.ts'
import { printable } from '../../src/cli/printable.ts'
import { displayWidth, formatTable, truncate } from '../../src/cli/table.ts'
import { SwarmError } from '../../src/errors.ts'

describe('text from elsewhere', () => {
  test('cannot move the cursor, break the line or turn it around', () => {
    expect(printable('a\u001b[2Jb\nc\u202ed\u0000')).toBe('a·[2Jb·c·d·')
    expect(printable('Büro – 東京 🚀')).toBe('Büro – 東京 🚀')
  })
})

describe('tables', () => {
  test('align columns, wide characters included, without trailing blanks', () => {
    expect(
      formatTable(
        [{ title: 'peer' }, { title: 'chunks', align: 'right' }, { title: 'x' }],
        [
          ['東京', '1,200', 'y'],
          ['tower', '7', '']
        ]
      )
    ).toBe('peer   chunks  x\n東京    1,200  y\ntower       7')
  })

  test('cut text to columns', () => {
    expect(truncate('abcdef', 4)).toBe('abc…')
    expect(truncate('東京都', 4)).toBe('東…')
    expect(truncate('abcd', 4)).toBe('abcd')
    expect(truncate('abc', 0)).toBe('')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 40 }), (text, columns) => {
        expect(displayWidth(truncate(text, columns))).toBeLessThanOrEqual(columns)
      })
    )
  })
})

describe('errors', () => {
  test('keep the code and exit code of a SwarmError', () => {
    const error = new SwarmError('NO_PEERS', 'no peers\u001b[2J', { exitCode: 69 })
    expect(describeError(error)).toEqual({ code: 'NO_PEERS', message: 'no peers·[2J', exitCode: 69 })
  })

  test('of the system keep their code; wrong paths are wrong usage', () => {
    const missing = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' })
    expect(describeError(missing)).toMatchObject({ code: 'ENOENT', exitCode: 2 })
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    expect(describeError(full)).toMatchObject({ code: 'ENOSPC', exitCode: 75 })
  })

  test('of any other kind are internal and fail', () => {
    expect(describeError(new TypeError('x is not a function'))).toEqual({
      code: 'INTERNAL',
      message: 'x is not a function',
      exitCode: 1
    })
    expect(describeError('thrown text')).toMatchObject({ code: 'INTERNAL', message: 'thrown text' })
  })

  test('tell their causes when asked', () => {
    const error = new Error('outer', { cause: new Error('inner') })
    expect(describeCauses(error)).toMatch(/^Error: outer[\s\S]*caused by Error: inner/)
  })
})

describe('a line budget', () => {
  test('passes a bounded number of lines a second and says what it left out', () => {
    let nowMs = 0
    const lines: string[] = []
    const budget = new LineBudget(
      () => nowMs,
      (line) => lines.push(line)
    )
    for (let index = 0; index < 1_000; index++) budget.print(`line ${index}`)
    expect(lines).toHaveLength(LINES_PER_SECOND_MAX)
    nowMs = 1_000
    budget.print('next')
    expect(lines.slice(-2)).toEqual([`(${1_000 - LINES_PER_SECOND_MAX} more lines left out)`, 'next'])
  })
})
