import { EXIT_CODES, SwarmError } from '../errors.ts'

const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const
const BYTE_FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40
}
const FLOP_UNITS = ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP'] as const
const DURATION_FACTORS_MS: Readonly<Record<string, number>> = { '': 1_000, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * Reads a size such as `4MiB`, `605 MB` or `635040000`.
 *
 * @returns whole bytes, at least 1
 * @throws SwarmError SIZE_MALFORMED
 */
export function parseByteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = BYTE_FACTORS[match?.[2]?.toLowerCase() ?? '?']
  const bytes = match === null || factor === undefined ? Number.NaN : Math.round(Number(match[1]) * factor)
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new SwarmError(
      'SIZE_MALFORMED',
      `"${text}" is no size: expected a number with kB, MB, GB (decimal) or KiB, MiB, GiB (binary), for example 4MiB`,
      { exitCode: EXIT_CODES.usage }
    )
  }
  return bytes
}

/**
 * Reads a duration such as `30`, `30s`, `500ms`, `5m` or `2h`; a bare number means seconds.
 *
 * @returns whole milliseconds, 0 or more
 * @throws SwarmError DURATION_MALFORMED
 */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim())
  const factor = DURATION_FACTORS_MS[match?.[2]?.toLowerCase() ?? '?']
  const durationMs = match === null || factor === undefined ? Number.NaN : Math.round(Number(match[1]) * factor)
  if (!Number.isSafeInteger(durationMs)) {
    throw new SwarmError(
      'DURATION_MALFORMED',
      `"${text}" is no duration: expected seconds, or a number with ms, s, m or h, for example 30s`,
      { exitCode: EXIT_CODES.usage }
    )
  }
  return durationMs
}

/** Writes bytes in decimal units with three digits: `635 MB`, `4.19 MB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  // 999.5 would be written as 1000.
  while (value >= 999.5 && unit < DECIMAL_UNITS.length - 1) {
    value /= 1_000
    unit++
  }
  return `${threeDigits(value, unit === 0)} ${DECIMAL_UNITS[unit]}`
}

/** Writes a rate: `206 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`
}

/** Writes a duration: `740 ms`, `3.1 s`, `4 min 05 s`, `2 h 03 min`. */
export function formatDurationMs(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return '–'
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`
  if (durationMs < 59_950) return `${(durationMs / 1_000).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`
}

/** Writes a count with separators: `158,760,000`. */
export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** Writes a count with its noun, which gets an `s` unless there is just one: `1 peer`, `48 chunks`. */
export function formatCounted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`
}

/** Writes a share of 100: whole from 10 on, below with one decimal, so that little is not nothing: `0.4 %`, `75 %`. */
export function formatPercent(percent: number): string {
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0)} %`
}

/** Writes how long ago something was: `now`, `12 s ago`, `3 h ago`, `5 d ago`. */
export function formatAgo(ageMs: number): string {
  const seconds = Math.floor(ageMs / 1_000)
  if (seconds < 5) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`
  return `${Math.floor(seconds / 86_400)} d ago`
}

/** The last 8 characters of a peer id: its start is the same for all Ed25519 keys. */
export function shortPeerId(peerId: string): string {
  return peerId.length <= 8 ? peerId : `…${peerId.slice(-8)}`
}

function threeDigits(value: number, whole: boolean): string {
  if (whole || value >= 99.95) return value.toFixed(0)
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

/** Writes a number of floating-point operations, such as `137 GFLOP`. */
export function formatFlops(flops: number): string {
  let value = flops
  let unit = 0
  // 999.5 would be written as 1.00e+3.
  while (value >= 999.5 && unit < FLOP_UNITS.length - 1) {
    value /= 1_000
    unit++
  }
  return `${unit === 0 || value >= 999.5 ? formatCount(value) : value.toPrecision(3)} ${FLOP_UNITS[unit]}`
}
