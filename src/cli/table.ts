import { printable } from './printable.ts'

/** One column of a table. */
export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/**
 * Lays text out in columns, two spaces apart, without trailing blanks. Cells are made printable.
 *
 * @param rows one string per column each
 */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => row.map(printable))]
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => displayWidth(row[index] ?? ''))))
  return cells
    .map((row) =>
      columns
        .map(({ align }, index) => {
          const cell = row[index] ?? ''
          const gap = ' '.repeat((widths[index] ?? 0) - displayWidth(cell))
          return align === 'right' ? gap + cell : cell + gap
        })
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}

const ZERO_WIDTH = /^(?:\p{Mn}|\p{Me}|\u200d|\ufe0e|\ufe0f)$/u
const DOUBLE_WIDTH =
  /^(?:[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation})$/u

/** Columns that a terminal gives this text: wide characters (CJK, emoji) take two, marks none. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) {
    if (ZERO_WIDTH.test(character)) continue
    width += DOUBLE_WIDTH.test(character) ? 2 : 1
  }
  return width
}

/** Cuts text to a number of terminal columns; what was cut shows as `…`. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let cut = ''
  for (const character of text) {
    if (displayWidth(cut + character) > columns - 1) break
    cut += character
  }
  return columns > 0 ? `${cut}…` : ''
}
