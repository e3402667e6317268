import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ADVERTS_MAX, SUBMITTERS_MAX } from '../../../protocols/advert/constants.ts'
import { FreshnessTable } from '../../../protocols/advert/freshness.ts'
import { advert } from './advert-fixtures.ts'

const jobId = (index: number): string =>
  'a'.repeat(22) + [...index.toString(8).padStart(4, '0')].map((digit) => 'bcdefghi'[Number(digit)]).join('')

test('takes a higher sequence as fresh, the same one as current, a lower one as stale', () => {
  const table = new FreshnessTable()
  const sequences = [5, 5, 4, 6]
  expect(sequences.map((sequence) => table.note(advert('s', { sequence })))).toEqual([
    'fresh',
    'current',
    'stale',
    'fresh'
  ])
})

test('takes any sequence of a higher incarnation as fresh, and none of a lower one', () => {
  const table = new FreshnessTable()
  expect(table.note(advert('s', { incarnation: 1, sequence: 9 }))).toBe('fresh')
  expect(table.note(advert('s', { incarnation: 2, sequence: 0 }))).toBe('fresh')
  expect(table.note(advert('s', { incarnation: 1, sequence: 10 }))).toBe('stale')
})

test('keeps the jobs of submitters apart, though they have the same id', () => {
  const table = new FreshnessTable()
  table.note(advert('one', { sequence: 9 }))
  expect(table.note(advert('two', { sequence: 1 }))).toBe('fresh')
})

test('lets no submitter push out the jobs of another', () => {
  const table = new FreshnessTable()
  table.note(advert('one', { sequence: 9 }))
  for (let index = 0; index < 3 * ADVERTS_MAX; index += 1) table.note(advert('two', { jobId: jobId(index) }))
  expect(table.note(advert('one', { sequence: 8 }))).toBe('stale')
  expect(table.note(advert('two', { jobId: jobId(0), sequence: 0 }))).toBe('fresh')
})

test('forgets the submitter heard of longest ago', () => {
  const table = new FreshnessTable()
  for (let index = 0; index < SUBMITTERS_MAX; index += 1) table.note(advert(`s${index}`))
  table.note(advert('s0'))
  table.note(advert('one more'))
  expect(table.note(advert('s0'))).toBe('current')
  expect(table.note(advert('s1'))).toBe('fresh')
})

test('never takes the same or an older advert as fresh twice', () => {
  const mark = fc.record({ incarnation: fc.nat(3), sequence: fc.nat(5) })
  fc.assert(
    fc.property(fc.array(mark), (marks) => {
      const table = new FreshnessTable()
      let highest = -1
      for (const { incarnation, sequence } of marks) {
        const rank = incarnation * 10 + sequence
        const expected = rank > highest ? 'fresh' : rank === highest ? 'current' : 'stale'
        expect(table.note(advert('s', { incarnation, sequence }))).toBe(expected)
        highest = Math.max(highest, rank)
      }
    })
  )
})
