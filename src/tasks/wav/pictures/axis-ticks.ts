/** A mark on an axis. */
export interface Tick {
  /** In the axis's unit. */
  readonly value: number
  readonly label: string
}

/** Steps between marks of time, in seconds, that people can count with. */
const TIME_STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  14_400, 21_600, 43_200, 86_400, 172_800, 604_800
]
const DECADE_STEPS = [1, 2, 5, 10]
const FINEST_STEP = 1e-6
const COARSEST_STEP = 1e12

/**
 * Marks of a time axis from 0, such as `0:30`, `1:02:00`, or `0.25` where less than a second lies between two.
 * @param durationSeconds length of the axis
 * @param most how many fit, the one at 0 included; at least 2
 */
export function timeTicks(durationSeconds: number, most: number): Tick[] {
  const longest = TIME_STEPS.at(-1) as number
  const step =
    TIME_STEPS.find((seconds) => Math.floor(durationSeconds / seconds + 1e-9) <= most - 1) ??
    longest * Math.ceil(durationSeconds / longest / (most - 1))
  return multiples(durationSeconds, step).map((value) => ({ value, label: formatTime(value, step) }))
}

/**
 * Marks of an axis of frequencies from 0, in kHz from 1000 Hz on.
 * @param greatest frequency of the axis, in Hz
 * @param most how many fit, the one at 0 included; at least 2
 */
export function frequencyTicks(greatest: number, most: number): Tick[] {
  const inKilohertz = greatest >= 2000
  return multiples(greatest, niceStep(greatest, most - 1)).map((value) => ({
    value,
    label: inKilohertz && value > 0 ? `${Number((value / 1000).toFixed(3))}k` : `${value}`
  }))
}

function niceStep(range: number, most: number): number {
  for (let decade = FINEST_STEP; decade < COARSEST_STEP; decade *= 10) {
    for (const step of DECADE_STEPS) if (range / (decade * step) <= most) return decade * step
  }
  return COARSEST_STEP
}

function multiples(range: number, step: number): number[] {
  const count = Math.floor(range / step + 1e-9) + 1
  return Array.from({ length: count }, (_, index) => Number((index * step).toFixed(6)))
}

function formatTime(seconds: number, step: number): string {
  const decimals = step >= 1 ? 0 : step >= 0.1 ? 1 : step >= 0.01 ? 2 : 3
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const rest = (seconds - hours * 3600 - minutes * 60).toFixed(decimals)
  const twoDigits = (text: string): string => (text.split('.')[0]?.length === 1 ? `0${text}` : text)
  if (hours > 0) return `${hours}:${twoDigits(String(minutes))}:${twoDigits(rest)}`
  return decimals > 0 && minutes === 0 ? rest : `${minutes}:${twoDigits(rest)}`
}
