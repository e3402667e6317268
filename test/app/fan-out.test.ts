import { describe, expect, test } from 'vitest'
import { FanOut } from '../../src/app/fan-out.ts'
import { settle } from '../support/virtual-clock.ts'

const never = new AbortController().signal

async function all<T>(events: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = []
  for await (const event of events) seen.push(event)
  return seen
}

describe('a fan-out', () => {
  test('gives every reader each event from its subscription on, and ends them', async () => {
    const events = new FanOut<number>(() => false)
    const first = events.subscribe([0], { signal: never })
    events.publish(1)
    const second = events.subscribe([], { signal: never })
    events.publish(2)
    events.end()
    expect(await all(first)).toEqual([0, 1, 2])
    expect(await all(second)).toEqual([2])
    expect(await all(events.subscribe([9], { signal: never }))).toEqual([9])
  })

  test('wakes a reader that waits', async () => {
    const events = new FanOut<number>(() => false)
    const reading = events.subscribe([], { signal: never }).next()
    await settle()
    events.publish(7)
    expect(await reading).toEqual({ done: false, value: 7 })
  })

  test('ends a reader whose signal aborts, once it has read what waits', async () => {
    const events = new FanOut<number>(() => false)
    const leaving = new AbortController()
    const reader = events.subscribe([], { signal: leaving.signal })
    events.publish(1)
    leaving.abort()
    expect(await all(reader)).toEqual([1])
    expect(await all(events.subscribe([], { signal: leaving.signal }))).toEqual([])
  })

  test('lets a slow reader miss what may be missed first, then the oldest', async () => {
    const events = new FanOut<string>((event) => event.startsWith('progress'))
    const reader = events.subscribe([], { signal: never })
    events.publish('accepted')
    for (let index = 0; index < 1_100; index++) events.publish(`progress ${index}`)
    events.publish('done')
    events.end()
    const seen = await all(reader)
    expect(seen).toHaveLength(1_024)
    expect([seen[0], seen.at(-1)]).toEqual(['accepted', 'done'])

    const strict = new FanOut<number>(() => false)
    const late = strict.subscribe([], { signal: never })
    for (let index = 0; index < 1_030; index++) strict.publish(index)
    strict.end()
    expect((await all(late))[0]).toBe(6)
  })
})
