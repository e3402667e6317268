import { expect, test } from 'vitest'
import { SlotQueue } from '../../src/compute/slot-queue.ts'

const { signal } = new AbortController()

test('hands slots out in order of arrival', async () => {
  const queue = new SlotQueue(1, 10)
  const order: string[] = []
  await queue.acquire(signal)
  const first = queue.acquire(signal).then(() => order.push('first'))
  const second = queue.acquire(signal).then(() => order.push('second'))
  expect(order).toEqual([])
  queue.release()
  await first
  expect(order).toEqual(['first'])
  queue.release()
  await second
  expect(order).toEqual(['first', 'second'])
})

test('passes over one who gave up', async () => {
  const queue = new SlotQueue(1, 10)
  const stop = new AbortController()
  await queue.acquire(signal)
  const gaveUp = queue.acquire(stop.signal)
  const patient = queue.acquire(signal)
  stop.abort(new Error('gave up'))
  await expect(gaveUp).rejects.toThrow('gave up')
  queue.release()
  await expect(patient).resolves.toBeUndefined()
})

test('refuses more who wait than it may hold', async () => {
  const queue = new SlotQueue(1, 1)
  await queue.acquire(signal)
  const waiting = queue.acquire(signal)
  await expect(queue.acquire(signal)).rejects.toMatchObject({ code: 'COMPUTE_QUEUE_FULL' })
  queue.release()
  await waiting
})

test('refuses all who wait and come once closed', async () => {
  const queue = new SlotQueue(1, 1)
  await queue.acquire(signal)
  const waiting = queue.acquire(signal)
  queue.close(new Error('closed'))
  await expect(waiting).rejects.toThrow('closed')
  await expect(queue.acquire(signal)).rejects.toThrow('closed')
})

test('who is urgent goes before those who only wait, and is counted among them', async () => {
  const { signal } = new AbortController()
  const slots = new SlotQueue(1, 2)
  const order: string[] = []
  await slots.acquire(signal)
  const later = slots.acquire(signal).then(() => order.push('later'))
  const urgent = slots.acquire(signal, { urgent: true }).then(() => order.push('urgent'))
  await expect(slots.acquire(signal, { urgent: true })).rejects.toMatchObject({ code: 'COMPUTE_QUEUE_FULL' })
  slots.release()
  await urgent
  slots.release()
  await later
  expect(order).toEqual(['urgent', 'later'])
})
