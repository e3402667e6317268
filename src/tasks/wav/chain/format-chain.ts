import type { Chain, ChainEffect } from './chain.ts'
import { formatSetting } from './read-setting.ts'

/**
 * The normal form of a chain, which a job keeps: values in the parameters' order, fallbacks left out at the end, named
 * where an optional value before them is left out. `parseChain` reads it as the same chain.
 */
export function formatChain(chain: Chain): string {
  return chain.map(formatEffect).join(', ')
}

function formatEffect({ kind, settings }: ChainEffect): string {
  const values = kind.parameters.map((parameter) => settings[parameter.name] ?? parameter.fallback)
  const last = values.findLastIndex((value, index) => value !== undefined && value !== kind.parameters[index]?.fallback)
  const words = [kind.name]
  let named = false
  for (const [index, value] of values.slice(0, last + 1).entries()) {
    if (value === undefined) named = true
    else words.push(`${named ? `${kind.parameters[index]?.name}=` : ''}${formatSetting(value)}`)
  }
  return words.join(' ')
}
