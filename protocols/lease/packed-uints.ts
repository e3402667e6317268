import { WireError } from '../wire/wire-error.ts'
import { UINT32_MAX } from './constants.ts'

/** Packs uint32 values as varints one after the other, the wire form of a packed repeated field. */
export function packUints(values: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes: number[] = []
  for (const value of values) {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest & 0x7f) | 0x80)
    bytes.push(rest)
  }
  return Uint8Array.from(bytes)
}

/**
 * Takes packed values apart.
 * @throws WireError MESSAGE_MALFORMED when there are more than `countMax`, one is above a uint32, or the last has no end
 */
export function unpackUints(name: string, bytes: Uint8Array, countMax: number): number[] {
  const values: number[] = []
  let value = 0
  let scale = 1
  for (const byte of bytes) {
    value += (byte & 0x7f) * scale
    scale *= 0x80
    if (value > UINT32_MAX || scale > 2 ** 35) throw malformed(name, 'uint32 values')
    if (byte >= 0x80) continue
    if (values.length === countMax) throw malformed(name, `at most ${countMax} values`)
    values.push(value)
    value = 0
    scale = 1
  }
  if (scale > 1) throw malformed(name, 'a whole last value')
  return values
}

function malformed(name: string, expected: string): WireError {
  return new WireError('MESSAGE_MALFORMED', `${name}: expected ${expected}`)
}
