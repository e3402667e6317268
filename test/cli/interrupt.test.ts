import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { listenForInterrupt, SAME_INTERRUPT_MS } from '../../src/cli/interrupt.ts'

function setUp() {
  const emitter = new EventEmitter()
  const calls: string[] = []
  let nowMs = 0
  const interrupt = listenForInterrupt({
    process: emitter,
    nowMs: () => nowMs,
    onFirst: (name) => calls.push(`first ${name}`),
    onSecond: () => calls.push('second')
  })
  return { emitter, calls, interrupt, at: (ms: number) => (nowMs = ms) }
}

describe('an interrupt', () => {
  test('aborts on the first signal with exit code 130', () => {
    const { emitter, calls, interrupt } = setUp()
    emitter.emit('SIGINT', 'SIGINT')
    expect(interrupt.signal.reason).toMatchObject({ code: 'INTERRUPTED', exitCode: 130 })
    expect(calls).toEqual(['first SIGINT'])
  })

  test('takes the same key press, delivered by terminal, npm and launcher, for one', () => {
    const { emitter, calls, at } = setUp()
    emitter.emit('SIGINT', 'SIGINT')
    at(SAME_INTERRUPT_MS)
    emitter.emit('SIGINT', 'SIGINT')
    expect(calls).toEqual(['first SIGINT'])
    at(SAME_INTERRUPT_MS + 1)
    emitter.emit('SIGTERM', 'SIGTERM')
    expect(calls).toEqual(['first SIGINT', 'second'])
  })

  test('listens no more once closed', () => {
    const { emitter, interrupt } = setUp()
    interrupt.close()
    expect(emitter.eventNames()).toEqual([])
  })
})
