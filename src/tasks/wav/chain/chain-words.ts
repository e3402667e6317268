import { chainInvalid } from './chain-error.ts'

/** One word of a chain's text, quotes taken off. */
export interface ChainWord {
  readonly text: string
  /** Of its first character in the chain's text, from 1. */
  readonly column: number
  /** Index in `text` of the first `=` outside quotes; −1 without one. */
  readonly equals: number
}

/** The words between two commas. */
export interface WordGroup {
  /** Where the group begins in the chain's text, from 1. */
  readonly column: number
  readonly words: readonly ChainWord[]
}

const SPACE = /\s/
const NEEDS_QUOTES = /[\s,"'=]/

/**
 * Cuts a chain's text at commas into groups and at white space into words. Within `"` or `'` both are ordinary characters,
 * and the quote itself is written twice.
 *
 * @returns at least one group; a group may be empty
 * @throws SwarmError CHAIN_INVALID when a quote has no end
 */
export function cutWords(text: string): readonly WordGroup[] {
  const groups: WordGroup[] = []
  let words: ChainWord[] = []
  let column = 1
  let index = 0
  while (index < text.length) {
    const character = text[index] as string
    if (character === ',') {
      groups.push({ column, words })
      words = []
      column = index + 2
      index += 1
    } else if (SPACE.test(character)) {
      index += 1
    } else {
      const { word, end } = readWord(text, index)
      words.push(word)
      index = end
    }
  }
  groups.push({ column, words })
  return groups
}

/** The shortest text that {@link cutWords} reads as one word of this content without a name before `=`. */
export function quoteWord(content: string): string {
  if (content !== '' && !NEEDS_QUOTES.test(content)) return content
  return `"${content.replaceAll('"', '""')}"`
}

function readWord(text: string, start: number): { word: ChainWord; end: number } {
  let content = ''
  let equals = -1
  let index = start
  while (index < text.length) {
    const character = text[index] as string
    if (character === ',' || SPACE.test(character)) break
    if (character === '"' || character === "'") {
      const part = readQuoted(text, index, character)
      content += part.content
      index = part.end
      continue
    }
    if (character === '=' && equals < 0) equals = content.length
    content += character
    index += 1
  }
  return { word: { text: content, column: start + 1, equals }, end: index }
}

function readQuoted(text: string, start: number, quote: string): { content: string; end: number } {
  let content = ''
  let index = start + 1
  for (;;) {
    const close = text.indexOf(quote, index)
    if (close < 0) {
      throw chainInvalid(start + 1, `expected a second ${quote} that ends what this one begins, but the text ends`)
    }
    content += text.slice(index, close)
    if (text[close + 1] !== quote) return { content, end: close + 1 }
    content += quote
    index = close + 2
  }
}
