/** One import of a source file. */
export interface ImportSite {
  readonly specifier: string
  /** `import type` or `export type`: gone at run time. */
  readonly typeOnly: boolean
  /** From 1. */
  readonly line: number
}

const IMPORT =
  /\b(?:import|export)\s+(type\s+)?(?:[\w$*\s{},]+?\s+from\s*)?(['"])([^'"\n]+)\2|\bimport\s*\(\s*(['"])([^'"\n]+)\4/g

/** Finds imports, re-exports and dynamic imports of a constant in TypeScript or JavaScript. */
export function findImports(source: string): readonly ImportSite[] {
  const code = blankComments(source, false)
  const sites: ImportSite[] = []
  for (const match of code.matchAll(IMPORT)) {
    const specifier = match[3] ?? match[5]
    if (specifier === undefined) continue
    sites.push({ specifier, typeOnly: match[1] !== undefined, line: lineAt(code, match.index) })
  }
  return sites
}

/** @returns the number of the line, from 1, that holds this offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let index = text.indexOf('\n'); index !== -1 && index < offset; index = text.indexOf('\n', index + 1)) line++
  return line
}

/**
 * Replaces comments, and the inside of strings when asked, by blanks, so that offsets and lines stay. Good enough for
 * formatted code: quotes inside a regular expression spoil at most the rest of their line.
 */
export function blankComments(source: string, stringsToo: boolean): string {
  const token = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|(['"])(?:\\.|(?!\1)[^\\\n])*\1|`(?:\\[\s\S]|[^\\`])*`/g
  return source.replace(token, (text) => {
    if (text.startsWith('//') || text.startsWith('/*')) return blank(text)
    return stringsToo ? text.charAt(0) + blankString(text.slice(1, -1)) + text.charAt(0) : text
  })
}

/** Keeps the code inside `${}` of a template. */
function blankString(text: string): string {
  return text.replace(/\$\{[^}]*\}|[^$]+|\$/g, (part) => (part.startsWith('${') ? part : blank(part)))
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ')
}
