import { expect, test } from 'vitest'
import { viewFloat32, viewFloat32On } from '../../../protocols/wire/float32.ts'

test('views aligned bytes in place', () => {
  const bytes = new Uint8Array(12)
  const floats = viewFloat32(bytes.subarray(4))
  floats[1] = 1
  expect([...bytes]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f])
})

test('copies bytes that are not aligned', () => {
  const bytes = Uint8Array.of(0, 0, 0, 0x80, 0x3f)
  const floats = viewFloat32(bytes.subarray(1))
  expect([...floats]).toEqual([1])
  expect(floats.buffer).not.toBe(bytes.buffer)
})

test('refuses part of a sample', () => {
  expect(() => viewFloat32(new Uint8Array(6))).toThrow('multiple of 4')
})

test('refuses a big-endian host', () => {
  expect(() => viewFloat32On(new Uint8Array(4), false)).toThrow('big-endian')
})
