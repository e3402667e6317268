import type { EffectKind, Settings } from '../effects/effect.ts'

/** One effect of a chain, with every setting that has a fallback filled in. */
export interface ChainEffect {
  readonly kind: EffectKind
  readonly settings: Settings
}

/** Effects in the order in which audio runs through them; the empty chain leaves audio as it is. */
export type Chain = readonly ChainEffect[]

/** Longest text of a chain, in UTF-16 units. */
export const CHAIN_CHARS_MAX = 4096
/** Most effects in a chain. */
export const CHAIN_EFFECTS_MAX = 64
