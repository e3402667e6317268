import type { BulkReport } from './bulk-protocol.ts'
import { median } from './figures.ts'
import { type Check, holds, type Runs } from './targets.ts'

const MB = 1e6

/** A table of the ways of one job: medians of time, highest peaks. */
export function formatRuns(title: string, runs: Runs, inputBytes: number): string {
  const loopMs = median((runs.get('loop') ?? []).map(({ ms }) => ms))
  const rows = [...runs].map(([way, all]) => {
    const times = all.map(({ ms }) => ms)
    const peak = Math.max(...all.map(({ submitterBytes }) => submitterBytes))
    const workerPeak = Math.max(...all.map(({ workerBytes }) => workerBytes ?? 0))
    return [
      way,
      seconds(median(times)),
      `${seconds(Math.min(...times))}–${seconds(Math.max(...times))}`,
      (inputBytes / 1000 / median(times)).toFixed(0),
      Number.isNaN(loopMs) ? '' : (median(times) / loopMs).toFixed(2),
      (peak / MB).toFixed(0),
      workerPeak === 0 ? '' : (workerPeak / MB).toFixed(0),
      all.at(-1)?.shares ?? ''
    ]
  })
  return table(title, ['way', 'median s', 'all s', 'MB/s', '× loop', 'peak MB', 'worker MB', 'chunks'], rows)
}

/** A table of the bulk protocols, in MB/s. */
export function formatBulk(reports: readonly BulkReport[]): string {
  const speed = (bytesPerSecond: number | undefined): string =>
    bytesPerSecond === undefined ? '' : (bytesPerSecond / MB).toFixed(0)
  return table(
    'bulk protocols between two processes, MB/s',
    ['protocol', 'bare', 'bare, kept', '4 MiB chunks', '256 KiB chunks'],
    reports.map(({ protocol, speeds }) => [
      protocol,
      speed(speeds.bare),
      speed(speeds.copied),
      speed(speeds.large),
      speed(speeds.small)
    ])
  )
}

/** Each figure beside its target. */
export function formatChecks(checks: readonly Check[]): string {
  return table(
    'targets',
    ['what', 'figure', 'of the best runs', 'target', ''],
    checks.map((check) => [
      check.what,
      `${number(check.figure)} ${check.unit}`,
      check.best === undefined ? '' : `${number(check.best)} ${check.unit}`,
      `${check.bound === 'min' ? '≥' : '≤'} ${check.target}`,
      holds(check) ? 'ok' : 'missed'
    ])
  )
}

function table(title: string, heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heads, ...rows]
  const widths = heads.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
  return ['', title, ...all.map((row) => `  ${line(row).trimEnd()}`)].join('\n')
}

function number(figure: number): string {
  return figure >= 100 ? figure.toFixed(0) : figure.toPrecision(3)
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(2)
}
