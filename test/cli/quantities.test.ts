import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatAgo,
  formatBytes,
  formatDurationMs,
  formatRate,
  parseByteSize,
  parseDurationMs,
  shortPeerId
} from '../../src/cli/quantities.ts'

describe('byte sizes', () => {
  test.each([
    ['1', 1],
    ['635040000', 635_040_000],
    ['4MiB', 4_194_304],
    ['4 mib', 4_194_304],
    ['605MB', 605_000_000],
    ['1.5kB', 1_500],
    ['2GiB', 2_147_483_648],
    ['1TB', 1e12]
  ])('reads %s', (text, bytes) => {
    expect(parseByteSize(text)).toBe(bytes)
  })

  test.each(['', '0', '-1', '4XB', 'MB', '1e3', '0x10', '9999999TiB', '1 2', 'NaN'])('refuses "%s"', (text) => {
    expect(() => parseByteSize(text)).toThrow(expect.objectContaining({ code: 'SIZE_MALFORMED', exitCode: 2 }))
  })

  test('are written with three digits', () => {
    expect(
      [0, 999, 1_000, 4_194_304, 99_949, 99_951, 635_040_000, 999_499_999, 999_500_000, 1e15].map(formatBytes)
    ).toEqual(['0 B', '999 B', '1.00 kB', '4.19 MB', '99.9 kB', '100 kB', '635 MB', '999 MB', '1.00 GB', '1000 TB'])
    expect(formatRate(206_000_000)).toBe('206 MB/s')
  })

  test('that were written are read back within half a percent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 46 }), (bytes) => {
        expect(Math.abs(parseByteSize(formatBytes(bytes)) - bytes)).toBeLessThanOrEqual(bytes * 0.0051)
      })
    )
  })
})

describe('durations', () => {
  test.each([
    ['30', 30_000],
    ['0', 0],
    ['500ms', 500],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['2h', 7_200_000]
  ])('reads %s', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs)
  })

  test.each(['', 's', '5d', '-1', '1e99h'])('refuses "%s"', (text) => {
    expect(() => parseDurationMs(text)).toThrow(expect.objectContaining({ code: 'DURATION_MALFORMED', exitCode: 2 }))
  })

  test('are written in the unit that fits', () => {
    expect(
      [0, 740, 999.6, 3_100, 59_949, 59_950, 245_000, 3_600_000, 7_380_000, Number.NaN].map(formatDurationMs)
    ).toEqual([
      '0 ms',
      '740 ms',
      '1.0 s',
      '3.1 s',
      '59.9 s',
      '1 min 00 s',
      '4 min 05 s',
      '1 h 00 min',
      '2 h 03 min',
      '–'
    ])
    expect([0, 12_000, 120_000, 7_200_000, 200_000_000].map(formatAgo)).toEqual([
      'now',
      '12 s ago',
      '2 min ago',
      '2 h ago',
      '2 d ago'
    ])
  })
})

test('a short peer id is the end, which differs, not the start, which does not', () => {
  expect(shortPeerId('12D3KooWabcdefgh12345678')).toBe('…12345678')
  expect(shortPeerId('short')).toBe('short')
})
