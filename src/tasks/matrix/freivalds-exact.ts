import type { RefusalReason } from '../task-kind.ts'
import { type ClaimedBlocks, depthBlocks, toBlocks } from './freivalds-operands.ts'
import { SecretStream } from './freivalds-random.ts'
import type { ClaimedTile } from './freivalds-tile.ts'

/** What the exact kernel writes for every NaN. */
const NAN_BITS = 0x7fc00000

/**
 * Recomputes one row of a tile in the order of the exact kernel and compares it bit for bit: each element is the sum over
 * k ascending, from +0, with one rounding to float32 per multiply and one per add. A kernel that sums in another order
 * shows in almost any row; 2·k·n flops.
 *
 * Float64 arithmetic rounded to float32 gives the float32 result, since float64 has more than twice the bits and two.
 *
 * @param row from 0; the one that checks picks it after the tile came, see {@link pickRow}
 * @returns why the tile is refused, or undefined
 * @throws SwarmError with code MATRIX_SHAPE when a dimension is no whole number from 1 or an array has another length
 * @see S. A. Figueroa, When is double rounding innocuous?, ACM SIGNUM Newsletter 30(3), 1995
 */
export function recomputeRowExact(tile: ClaimedTile | ClaimedBlocks, row: number): RefusalReason {
  const { c, n } = tile
  const sums = new Float32Array(n)
  for (const { depth, a, b } of depthBlocks(toBlocks(tile))) {
    for (let inner = 0; inner < depth; inner++) {
      const factor = a[row * depth + inner] as number
      const start = inner * n
      for (let column = 0; column < n; column++) {
        sums[column] = (sums[column] as number) + Math.fround(factor * (b[start + column] as number))
      }
    }
  }
  const expected = new Uint32Array(sums.buffer)
  const found = new Uint32Array(c.buffer, c.byteOffset + row * n * Uint32Array.BYTES_PER_ELEMENT, n)
  for (let column = 0; column < n; column++) {
    const bits = Number.isNaN(sums[column]) ? NAN_BITS : (expected[column] as number)
    if (bits === found[column]) continue
    const places = `row ${row}, column ${column} of the tile`
    return `${places} has the bits ${hex(found[column] as number)} instead of ${hex(bits)}`
  }
  return undefined
}

/** @returns the row of a tile of `m` rows that is recomputed under this seed; secret as long as the seed is */
export function pickRow(seed: Uint8Array, m: number): number {
  return new SecretStream(seed).below(m)
}

function hex(bits: number): string {
  return bits.toString(16).padStart(8, '0')
}
