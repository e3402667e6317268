import { SwarmError } from '../../../errors.ts'
import { CHANNELS_MAX } from '../audio-format.ts'
import type { SignalSummary } from '../effects/effect.ts'
import type { SegmentRun } from './segment-grid.ts'

/** What a chunk's input begins with: which segments it is for, and what earlier passes found. */
export interface ChunkHead {
  readonly run: SegmentRun
  readonly summary?: SignalSummary
}

const LENGTH_BYTES = 4
/** Bytes of a chunk's head at most. */
export const HEAD_BYTES_MAX = 16 * 1024

/** The head as JSON behind its length, a uint32, little-endian; JSON has no infinity, so silence has a loudness of null. */
export function encodeHead({ run, summary }: ChunkHead): Uint8Array {
  const loudness = summary !== undefined && Number.isFinite(summary.loudness) ? summary.loudness : null
  const json = new TextEncoder().encode(JSON.stringify({ run, ...(summary && { summary: { ...summary, loudness } }) }))
  const bytes = new Uint8Array(LENGTH_BYTES + json.byteLength)
  new DataView(bytes.buffer).setUint32(0, json.byteLength, true)
  bytes.set(json, LENGTH_BYTES)
  return bytes
}

/** Takes untrusted bytes. @returns the head and its length in bytes. @throws SwarmError INPUT_MALFORMED */
export function parseHead(input: Uint8Array): { readonly head: ChunkHead; readonly byteLength: number } {
  if (input.byteLength < LENGTH_BYTES) throw malformed('it has no head')
  const jsonBytes = new DataView(input.buffer, input.byteOffset).getUint32(0, true)
  const byteLength = LENGTH_BYTES + jsonBytes
  if (byteLength > HEAD_BYTES_MAX || byteLength > input.byteLength) throw malformed(`its head has ${jsonBytes} bytes`)
  let fields: { run?: Partial<SegmentRun>; summary?: unknown }
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(input.subarray(LENGTH_BYTES, byteLength)))
  } catch {
    throw malformed('its head is no JSON')
  }
  const { pass, first, count } = fields?.run ?? {}
  const run = { pass: whole(pass, 0), first: whole(first, 0), count: whole(count, 1) }
  if (fields.summary === undefined) return { head: { run }, byteLength }
  return { head: { run, summary: parseSummary(fields.summary) }, byteLength }
}

function parseSummary(value: unknown): SignalSummary {
  if (typeof value !== 'object' || value === null) throw malformed('its summary is no object')
  const { peaks, truePeaks, dcOffsets, loudness } = value as Record<string, unknown>
  return {
    peaks: numbers(peaks),
    truePeaks: numbers(truePeaks),
    dcOffsets: numbers(dcOffsets),
    loudness: loudness === null ? Number.NEGATIVE_INFINITY : number(loudness)
  }
}

function numbers(value: unknown): readonly number[] {
  if (!Array.isArray(value) || value.length > CHANNELS_MAX) throw malformed('its summary lists no channels')
  return value.map(number)
}

function number(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw malformed('its summary holds what is no number')
}

function whole(value: unknown, min: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min) return value
  throw malformed('its head names no segments')
}

function malformed(reason: string): SwarmError {
  return new SwarmError('INPUT_MALFORMED', `the chunk's input makes no sense: ${reason}`)
}
