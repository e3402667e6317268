import { sampleLoops } from '../samples/loops/sample-loops.ts'

/**
 * Binary logarithm, as the gain loops take it of levels: a few polynomial terms, right to 1e-9 octaves (6e-9 dB), and the same
 * bits everywhere.
 * @param x from 1e-300, finite
 */
export function log2Of(x: number): number {
  return sampleLoops().run.log2Of(x)
}

/**
 * 2 to the power of −x, as the gain loops take it of reductions: right to 1e-9 of itself.
 * @param x octaves, 0 to 200; more counts as 200
 */
export function exp2Negative(x: number): number {
  return sampleLoops().run.exp2Negative(x)
}
