import { type BatchCounts, type BatchOutcome, countOutcomes } from './batch-outcome.ts'
import { formatCount, formatCounted, formatDurationMs, formatPercent } from './quantities.ts'
import { type Column, formatTable } from './table.ts'

/** Most files that the table lists; those that nothing has to be done about give way. */
export const BATCH_ROWS_MAX = 500

const COLUMNS: readonly Column[] = [
  { title: 'file' },
  { title: 'state' },
  { title: 'took', align: 'right' },
  { title: 'chunks', align: 'right' },
  { title: 'by peers', align: 'right' },
  { title: 'loudness', align: 'right' },
  { title: 'message' }
]

/** The last word on a batch: a table of its files, and how many came to which end. */
export function formatBatch(outcomes: readonly BatchOutcome[], counts: BatchCounts): string {
  const { rest, rows } = chooseRows(outcomes)
  const used = COLUMNS.map((_, index) => index < 2 || rows.some((row) => cellsOf(row)[index] !== ''))
  const keepUsed = <T>(cells: readonly T[]): T[] => cells.filter((_, index) => used[index])
  return [
    formatTable(
      keepUsed(COLUMNS),
      rows.map((row) => keepUsed(cellsOf(row)))
    ),
    ...(rest.length > 0 ? [`… and ${formatCounted(rest.length, 'file')} more (${formatRest(rest)})`] : []),
    '',
    formatCounts(counts, outcomes.length)
  ].join('\n')
}

/** In one line: `49 done, 1 failed, 0 skipped of 50 files`. */
export function formatCounts({ done, failed, left, skipped }: BatchCounts, files: number): string {
  const more = left > 0 ? `, ${formatCount(left)} left` : ''
  return `${formatCount(done)} done, ${formatCount(failed)} failed, ${formatCount(skipped)} skipped${more} of ${formatCounted(files, 'file')}`
}

/** What stands beside a file's name: `skipped (done)`. */
export function formatState({ state }: BatchOutcome): string {
  return state === 'skipped' ? 'skipped (done)' : state
}

/** In the order of files; when they are too many, those that failed or stopped before all others. */
function chooseRows(outcomes: readonly BatchOutcome[]) {
  if (outcomes.length <= BATCH_ROWS_MAX) return { rows: outcomes, rest: [] }
  const isFine = ({ state }: BatchOutcome) => state === 'done' || state === 'skipped' || state === 'not started'
  const wrong = outcomes.filter((outcome) => !isFine(outcome))
  const sorted = [...wrong, ...outcomes.filter(isFine)]
  return { rows: sorted.slice(0, BATCH_ROWS_MAX), rest: sorted.slice(BATCH_ROWS_MAX) }
}

function formatRest(rest: readonly BatchOutcome[]): string {
  const { done, failed, left, skipped } = countOutcomes(rest, false)
  const parts = [
    [done, 'done'],
    [failed, 'failed'],
    [skipped, 'skipped'],
    [left, 'not started']
  ] as const
  return parts.flatMap(([count, word]) => (count > 0 ? [`${formatCount(count)} ${word}`] : [])).join(', ')
}

function cellsOf(outcome: BatchOutcome): readonly string[] {
  const { chunks, code, file, loudness, message, peerShare, totalMs } = outcome
  return [
    file,
    formatState(outcome),
    totalMs === undefined ? '' : formatDurationMs(totalMs),
    chunks === undefined ? '' : formatCount(chunks),
    peerShare === undefined ? '' : formatPercent(peerShare * 100),
    loudness === undefined ? '' : `${formatLufs(loudness.before)} → ${formatLufs(loudness.after)} LUFS`,
    message === undefined ? '' : code === undefined ? message : `${message} (${code})`
  ]
}

function formatLufs(lufs: number | null): string {
  return lufs === null ? '−∞' : lufs.toFixed(1)
}
