import { expect, test } from 'vitest'
import { SharedBuffers } from '../../src/domain/shared-buffers.ts'

test('what was given back serves whoever asks for a little less: the least that will do', () => {
  const buffers = new SharedBuffers(1_000)
  const [large, small] = [new SharedArrayBuffer(120), new SharedArrayBuffer(110)]
  for (const buffer of [large, small]) buffers.give(buffer)
  expect(buffers.take(80).byteLength).toBe(80)
  expect(buffers.take(100)).toBe(small)
  expect(buffers.take(100)).toBe(large)
  expect(buffers.take(100).byteLength).toBe(100)
  expect(buffers.freeBytes).toBe(0)
})

test('what was given back serves the next who asks for that length', () => {
  const buffers = new SharedBuffers(100)
  const first = buffers.take(40)
  expect(first.byteLength).toBe(40)
  buffers.give(first)
  expect(buffers.freeBytes).toBe(40)
  expect(buffers.take(30)).not.toBe(first)
  expect(buffers.take(40)).toBe(first)
  expect(buffers.freeBytes).toBe(0)
})

test('keeps no more than its limit: the older lengths make room for the newer', () => {
  const buffers = new SharedBuffers(100)
  for (const length of [40, 40, 30]) buffers.give(new SharedArrayBuffer(length))
  expect(buffers.freeBytes).toBe(70)
  buffers.give(new SharedArrayBuffer(40))
  expect(buffers.freeBytes).toBe(80)
  buffers.give(new SharedArrayBuffer(40))
  expect(buffers.freeBytes).toBe(80)
  buffers.give(new SharedArrayBuffer(101))
  expect(buffers.freeBytes).toBe(0)
})

test('is empty after clear', () => {
  const buffers = new SharedBuffers(100)
  const buffer = buffers.take(8)
  buffers.give(buffer)
  buffers.clear()
  expect(buffers.take(8)).not.toBe(buffer)
})
