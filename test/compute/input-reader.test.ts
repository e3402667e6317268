import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { InputReader } from '../../src/compute/input-reader.ts'
import type { InputPart } from '../../src/domain/chunk-parts.ts'

const folder = mkdtempSync(join(tmpdir(), 'swarm-reader-'))
const content = Uint8Array.from({ length: 200 }, (_, index) => index)
const path = join(folder, 'input')
const other = join(folder, 'other')
writeFileSync(path, content)
writeFileSync(other, content.toReversed())

afterAll(() => rmSync(folder, { recursive: true }))

const parts = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 12 }).map((bytes): InputPart => ({ bytes })),
    fc
      .record({ path: fc.constantFrom(path, other), offset: fc.nat(180), byteLength: fc.nat(20) })
      .map((part): InputPart => part)
  ),
  { minLength: 1, maxLength: 8 }
)

function expectedOf(list: readonly InputPart[]): Uint8Array {
  return Buffer.concat(
    list.map((part) => {
      if (part.path === undefined) return part.bytes
      const file = part.path === path ? content : content.toReversed()
      return file.subarray(part.offset, part.offset + part.byteLength)
    })
  )
}

test('any range of any parts reads as one run of bytes', () => {
  fc.assert(
    fc.property(parts, fc.nat(150), fc.nat(150), (list, from, length) => {
      using reader = new InputReader(list)
      const expected = expectedOf(list)
      expect(reader.byteLength).toBe(expected.byteLength)
      const offset = Math.min(from, expected.byteLength)
      const bytes = new Uint8Array(Math.min(length, expected.byteLength - offset))
      expect(reader.readUpTo(bytes, offset)).toBe(bytes.byteLength)
      expect(Buffer.compare(bytes, expected.subarray(offset, offset + bytes.byteLength))).toBe(0)
      bytes.fill(255)
      reader.readWhole(bytes, offset)
      expect(Buffer.compare(bytes, expected.subarray(offset, offset + bytes.byteLength))).toBe(0)
    })
  )
})

test('what a file lacks is not read, and what stands before it is', () => {
  using reader = new InputReader([
    { bytes: Uint8Array.of(7, 8) },
    { path, offset: 190, byteLength: 20 },
    { bytes: Uint8Array.of(9) }
  ])
  const bytes = new Uint8Array(23)
  expect(reader.readUpTo(bytes, 0)).toBe(12)
  expect([...bytes.subarray(0, 12)]).toEqual([7, 8, ...content.subarray(190)])
  expect(() => reader.readWhole(bytes, 0)).toThrow(expect.objectContaining({ code: 'INPUT_UNREADABLE' }))
})

test('a file that is not there is named', () => {
  using reader = new InputReader([{ path: join(folder, 'none'), offset: 0, byteLength: 1 }])
  expect(reader.name).toBe(join(folder, 'none'))
  expect(() => reader.readUpTo(new Uint8Array(1), 0)).toThrow(expect.objectContaining({ code: 'INPUT_UNREADABLE' }))
})

test('no more is read than there is', () => {
  using reader = new InputReader([{ bytes: new Uint8Array(3) }])
  expect(() => reader.readUpTo(new Uint8Array(4), 0)).toThrow(RangeError)
  expect(() => reader.readWhole(new Uint8Array(1), 3)).toThrow(RangeError)
})
