import type { Chain, ChainEffect } from './chain.ts'

/**
 * Cuts a chain before each effect that measures its whole input: what stands before the cut is a pass of its own, whose
 * output is measured.
 *
 * @returns at least one pass; the first may be empty, any later one begins with an effect that measures
 */
export function splitPasses(chain: Chain): readonly Chain[] {
  const first: ChainEffect[] = []
  const passes = [first]
  for (const effect of chain) {
    if (effect.kind.measures === true) passes.push([effect])
    else (passes.at(-1) ?? first).push(effect)
  }
  return passes
}
