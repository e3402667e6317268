import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LeaseQueue } from '../../src/domain/lease-queue.ts'

test('gives items lowest order first, and forgets removed ones', () => {
  const steps = fc.array(fc.tuple(fc.constantFrom('push', 'remove', 'pop'), fc.nat(30), fc.nat(100)), {
    maxLength: 200
  })
  fc.assert(
    fc.property(steps, (commands) => {
      const queue = new LeaseQueue()
      const model = new Map<number, number>()
      for (const [command, item, order] of commands) {
        if (command === 'push') {
          queue.push(item, order)
          model.set(item, order)
        } else if (command === 'remove') {
          expect(queue.remove(item)).toBe(model.delete(item))
        } else {
          const popped = queue.pop()
          const lowest = Math.min(...model.values())
          if (popped === undefined) expect(model.size).toBe(0)
          else expect(model.get(popped)).toBe(lowest)
          if (popped !== undefined) model.delete(popped)
        }
        expect(queue.size).toBe(model.size)
        expect(queue.has(item)).toBe(model.has(item))
        const lowest = model.size > 0 ? Math.min(...model.values()) : undefined
        expect(queue.peek()?.order).toBe(lowest)
      }
    })
  )
})
