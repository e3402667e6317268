import type { Chain } from './chain.ts'

/** Files that a chain's effects name, as it writes them, each once. */
export function filesOf(chain: Chain): readonly string[] {
  const names = chain.flatMap(({ kind, settings }) =>
    kind.parameters.flatMap((parameter) => {
      const setting = settings[parameter.name]
      return parameter.kind === 'file' && typeof setting === 'string' ? [setting] : []
    })
  )
  return [...new Set(names)]
}
