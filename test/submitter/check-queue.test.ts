import { describe, expect, test } from 'vitest'
import { CheckQueue } from '../../src/submitter/check-queue.ts'

const { signal } = new AbortController()

function make(atOnce: number, here: readonly number[] = []) {
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const queue = new CheckQueue(atOnce, (operand) => (here.includes(operand) ? 0 : 1))
  const run = (name: string, operands: readonly number[], waiting = signal) =>
    queue.run(
      operands,
      () => {
        began.push(name)
        return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
      },
      { signal: waiting }
    )
  const end = async (name: string) => {
    ends.get(name)?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { began, run, end }
}

describe('the queue of checks', () => {
  test('runs so many at once, and gives what they give', async () => {
    const { began, run, end } = make(2)
    const all = [run('a', []), run('b', []), run('c', [])]
    await end('')
    expect(began).toEqual(['a', 'b'])
    await end('a')
    expect(began).toEqual(['a', 'b', 'c'])
    await end('b')
    await end('c')
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c'])
  })

  test('takes the one next whose operands are here, but passes nobody by for ever', async () => {
    const { began, run, end } = make(1, [7])
    const all = ['a', 'far', 'near1', 'near2', 'near3'].map((name) => run(name, [name.startsWith('near') ? 7 : 1]))
    for (const name of ['', 'a', 'near1', 'near2', 'far', 'near3']) await end(name)
    await Promise.all(all)
    expect(began.indexOf('near1')).toBe(1)
    expect(began.indexOf('far')).toBeLessThan(4)
  })

  test('whoever gives up leaves the queue', async () => {
    const { began, run, end } = make(1)
    const gone = new AbortController()
    const first = run('a', [])
    const second = run('b', [], gone.signal)
    const third = run('c', [])
    gone.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    await expect(run('d', [], gone.signal)).rejects.toThrow('enough')
    await end('a')
    await end('c')
    expect(await Promise.all([first, third])).toEqual(['a', 'c'])
    expect(began).toEqual(['a', 'c'])
  })

  test('a check that fails makes room too', async () => {
    const queue = new CheckQueue(1, () => 0)
    await expect(queue.run([], () => Promise.reject(new Error('false')), { signal })).rejects.toThrow('false')
    expect(await queue.run([], async () => 'next', { signal })).toBe('next')
  })
})
