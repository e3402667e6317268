import { excerpt, npyMalformed } from './npy-error.ts'

/** How deep tuples and lists may nest. A structured dtype nests three deep for each level of its fields. */
const DEPTH_MAX = 16

/** A value of Python, as far as a .npy header can hold one. `null` is None. */
export type Literal = string | number | boolean | null | LiteralSequence

/** A tuple or a list. */
export interface LiteralSequence {
  readonly kind: 'tuple' | 'list'
  readonly items: readonly Literal[]
}

/**
 * Reads a dict literal with string keys, and nothing behind it but white space. Strings are in either quotes and without
 * escapes; whole numbers may end in Python 2's `L`.
 * @param text untrusted. @param name of the file, for messages
 * @throws SwarmError NPY_MALFORMED, also for a key that comes twice and for nesting deeper than 16
 */
export function parseDict(text: string, name: string): ReadonlyMap<string, Literal> {
  return new DictReader(text, name).read()
}

/** Writes a value as Python would, shortened for a message. */
export function showLiteral(value: Literal | undefined): string {
  return value === undefined ? 'nothing' : excerpt(pythonOf(value))
}

/** Whether the value is a tuple, which is what a shape has to be. */
export function isTuple(value: Literal | undefined): value is LiteralSequence {
  return typeof value === 'object' && value !== null && value.kind === 'tuple'
}

function pythonOf(value: Literal): string {
  if (value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'string') return `'${value}'`
  if (typeof value === 'number') return String(value)
  const items = value.items.map(pythonOf)
  if (value.kind === 'list') return `[${items.join(', ')}]`
  return items.length === 1 ? `(${items[0]},)` : `(${items.join(', ')})`
}

/** Owns a place in the text. Each method reads one rule of the grammar and leaves the place behind it. */
class DictReader {
  readonly #text: string
  readonly #name: string
  #at = 0

  constructor(text: string, name: string) {
    this.#text = text
    this.#name = name
  }

  read(): ReadonlyMap<string, Literal> {
    const entries = new Map<string, Literal>()
    this.#expect('{')
    while (!this.#takes('}')) {
      const key = this.#string() ?? this.#fail('a key in quotes or }')
      if (entries.has(key)) this.#fail(`${excerpt(`'${key}'`)} only once`)
      this.#expect(':')
      entries.set(key, this.#value(0))
      if (this.#takes(',')) continue
      this.#expect('}', ', or }')
      break
    }
    this.#skipSpace()
    if (this.#at < this.#text.length) this.#fail('nothing more')
    return entries
  }

  #value(depth: number): Literal {
    if (depth > DEPTH_MAX) this.#fail(`values nested no deeper than ${DEPTH_MAX}`)
    if (this.#takes('[')) return { kind: 'list', items: this.#items(']', depth).items }
    if (this.#takes('(')) {
      const { items, hasComma } = this.#items(')', depth)
      const [only] = items
      // As in Python, the comma makes the tuple: (4) is 4.
      return items.length === 1 && !hasComma && only !== undefined ? only : { kind: 'tuple', items }
    }
    const text = this.#string()
    if (text !== undefined) return text
    const word = this.#match(/(?:True|False|None)\b/y)
    if (word !== undefined) return word === 'None' ? null : word === 'True'
    const digits = this.#match(/[+-]?(?:0+|[1-9][0-9]*)[lL]?(?![\w.])/y)
    if (digits !== undefined) return Number(digits.replace(/l$/i, ''))
    return this.#fail('a string, whole number, tuple, list, True, False or None')
  }

  #items(close: ')' | ']', depth: number): { items: readonly Literal[]; hasComma: boolean } {
    const items: Literal[] = []
    let hasComma = false
    while (!this.#takes(close)) {
      items.push(this.#value(depth + 1))
      if (this.#takes(',')) {
        hasComma = true
        continue
      }
      this.#expect(close, `, or ${close}`)
      break
    }
    return { items, hasComma }
  }

  #string(): string | undefined {
    return this.#match(/'[^'\\\n\r]*'|"[^"\\\n\r]*"/y)?.slice(1, -1)
  }

  #expect(char: string, expected = char): void {
    if (!this.#takes(char)) this.#fail(expected)
  }

  #takes(char: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== char) return false
    this.#at += 1
    return true
  }

  #match(pattern: RegExp): string | undefined {
    this.#skipSpace()
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #skipSpace(): void {
    const space = /[ \t\n\r\f]*/y
    space.lastIndex = this.#at
    this.#at += space.exec(this.#text)?.[0].length ?? 0
  }

  #fail(expected: string): never {
    const rest = this.#text.slice(this.#at).trimEnd()
    const found = rest === '' ? 'its end' : JSON.stringify(excerpt(rest))
    throw npyMalformed(this.#name, `expected ${expected} at character ${this.#at} of its header, but found ${found}`)
  }
}
