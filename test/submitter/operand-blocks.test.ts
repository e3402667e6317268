import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SharedBuffers } from '../../src/domain/shared-buffers.ts'
import { OperandBlocks } from '../../src/submitter/operand-blocks.ts'
import { TileGrid } from '../../src/tasks/matrix/tile-grid.ts'

const grid = new TileGrid({ rows: 12, inner: 8, columns: 10, tileRows: 3, tileColumns: 5, depth: 4 })
const LARGEST_BYTES = 5 * 4 * 4

function make(bytesMax: number) {
  const loads: number[] = []
  const blocks = new OperandBlocks(
    grid,
    async (operands) => {
      for (const { index, buffer } of operands) {
        loads.push(index)
        new Uint8Array(buffer).fill(index + 1)
      }
    },
    new SharedBuffers(bytesMax),
    bytesMax
  )
  return { blocks, loads }
}

describe('the operand blocks of a submitter', () => {
  test('are loaded once while they are used or kept, and have the bytes of their operand', async () => {
    const { blocks, loads } = make(10_000)
    const indexes = [3, 0, 3, 11]
    const used = await Promise.all(
      [1, 2].map(() => blocks.with(indexes, (all) => all.map(({ buffer }) => new Uint8Array(buffer)[0])))
    )
    expect(used).toEqual([
      [4, 1, 4, 12],
      [4, 1, 4, 12]
    ])
    expect(loads).toEqual([3, 0, 11])
  })

  test('never change while they are used, and take no more than the limit and what is used at once', async () => {
    const index = fc.integer({ min: 0, max: grid.operandCount - 1 })
    const uses = fc.array(fc.uniqueArray(index, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 40 })
    await fc.assert(
      fc.asyncProperty(
        uses,
        fc.integer({ min: 1, max: 800 }),
        fc.integer({ min: 1, max: 3 }),
        async (all, bytesMax, atOnce) => {
          const { blocks } = make(bytesMax)
          for (let start = 0; start < all.length; start += atOnce) {
            await Promise.all(
              all.slice(start, start + atOnce).map((indexes) =>
                blocks.with(indexes, async (held) => {
                  await Promise.resolve()
                  for (const [position, { buffer, byteLength }] of held.entries()) {
                    const expected = indexes[position] ?? -1
                    expect(byteLength).toBe(grid.operand(expected).byteLength)
                    expect(new Uint8Array(buffer).every((byte) => byte === expected + 1)).toBe(true)
                  }
                })
              )
            )
            expect(blocks.bytes).toBeLessThanOrEqual(bytesMax + atOnce * 4 * LARGEST_BYTES)
          }
        }
      )
    )
  })

  test('a block that cannot be read is an error for each who waits, and is read anew for the next', async () => {
    let isBroken = true
    const blocks = new OperandBlocks(
      grid,
      async () => {
        if (isBroken) throw new Error('gone')
      },
      new SharedBuffers(1000)
    )
    await expect(Promise.all([blocks.with([1], () => 0), blocks.with([1], () => 0)])).rejects.toThrow('gone')
    isBroken = false
    expect(await blocks.with([1], (held) => held.length)).toBe(1)
  })
})
