import { describe, expect, test } from 'vitest'
import { openDatabase } from '../../src/store/database.ts'
import { KERNEL_MEASURES_MAX, LINK_MEASURES_MAX, MeasureStore } from '../../src/store/measure-store.ts'

const KERNEL = { nsPerByte: 42.5, startMs: 90, checkNsPerByte: 7, source: 'measured', measuredAtMs: 1_000 } as const
const LINK = { bytesPerSecond: 1e8, latencyMs: 0.5, measuredAtMs: 1_000 }

describe('measures', () => {
  test('are remembered by kernel and by peer, the newest of each, for as long as they are fresh', () => {
    const measures = new MeasureStore(openDatabase(''))
    measures.keepKernel('fast 64x64x64', { ...KERNEL, nsPerByte: 1 })
    measures.keepKernel('fast 64x64x64', KERNEL)
    measures.keepLink('ann', LINK)
    expect(measures.kernel('fast 64x64x64', 1_000)).toEqual(KERNEL)
    expect(measures.kernel('fast 64x64x64', 1_001)).toBeUndefined()
    expect(measures.kernel('fast 128x64x64', 0)).toBeUndefined()
    expect(measures.link('ann', 1_000)).toEqual(LINK)
    expect(measures.link('ann', 1_001)).toBeUndefined()
    expect(measures.link('bob', 0)).toBeUndefined()
  })

  test('that are no speeds are not kept', () => {
    const measures = new MeasureStore(openDatabase(''))
    for (const nsPerByte of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
      measures.keepKernel('k', { ...KERNEL, nsPerByte })
      measures.keepLink('ann', { ...LINK, bytesPerSecond: nsPerByte })
    }
    measures.keepKernel('k', { ...KERNEL, checkNsPerByte: -1 })
    measures.keepLink('ann', { ...LINK, latencyMs: Number.NaN })
    expect(measures.kernel('k', 0)).toBeUndefined()
    expect(measures.link('ann', 0)).toBeUndefined()
  })

  test('are bounded: the oldest are forgotten', () => {
    const database = openDatabase('')
    const measures = new MeasureStore(database)
    database.transaction(
      () => {
        for (let index = 0; index <= LINK_MEASURES_MAX; index++) {
          measures.keepLink(`peer ${index}`, { ...LINK, measuredAtMs: index })
          if (index <= KERNEL_MEASURES_MAX) measures.keepKernel(`kernel ${index}`, { ...KERNEL, measuredAtMs: index })
        }
      },
      { durable: false }
    )
    expect(measures.link('peer 0', 0)).toBeUndefined()
    expect(measures.link('peer 1', 0)).toBeDefined()
    expect(measures.kernel('kernel 0', 0)).toBeUndefined()
    expect(measures.kernel('kernel 1', 0)).toBeDefined()
  })
})
