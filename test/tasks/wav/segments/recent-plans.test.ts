import { expect, test } from 'vitest'
import { RecentPlans } from '../../../../src/tasks/wav/segments/recent-plans.ts'

test('makes a plan once for jobs that come in turn, and forgets the one used longest ago', () => {
  const made: number[] = []
  const plans = new RecentPlans((params) => {
    made.push(params[0] ?? 0)
    return { first: params[0] }
  })
  for (let turn = 0; turn < 3; turn++) {
    for (let job = 0; job < 8; job++) expect(plans.of(Uint8Array.of(job, 200)).first).toBe(job)
  }
  expect(made).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  plans.of(Uint8Array.of(0, 200))
  plans.of(Uint8Array.of(8, 200))
  plans.of(Uint8Array.of(0, 200))
  expect(made).toHaveLength(9)
  plans.of(Uint8Array.of(1, 200))
  expect(made).toHaveLength(10)
})

test('keeps nothing of parameters that make no plan', () => {
  const plans = new RecentPlans(() => {
    throw new Error('no plan')
  })
  expect(() => plans.of(new Uint8Array(1))).toThrow('no plan')
  expect(() => plans.of(new Uint8Array(1))).toThrow('no plan')
})
