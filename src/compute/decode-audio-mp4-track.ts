import { latin1 } from './decode-audio-sniff.ts'

/** A box of an MP4 file within the bytes of its tables. */
export interface Mp4Box {
  readonly type: string
  /** Of its body. */
  readonly start: number
  readonly end: number
}

/** Bytes of one entry, and where entries begin within the body, of tables whose count has to be believed. */
const TABLES: Readonly<Record<string, { readonly entryBytes: number; readonly start: number }>> = {
  stco: { entryBytes: 4, start: 8 },
  co64: { entryBytes: 8, start: 8 },
  stsc: { entryBytes: 12, start: 8 },
  stts: { entryBytes: 8, start: 8 },
  elst: { entryBytes: 12, start: 8 },
  stsz: { entryBytes: 4, start: 12 }
}
/** Decoders keep a number for each sample; uncompressed sound may have one sample a frame. */
const EQUAL_SAMPLES_MAX = 4_000_000

/** @returns what is wrong with the first table that says it has more entries than it has room for */
export function findLyingTable(view: DataView, boxes: readonly Mp4Box[]): string | undefined {
  for (const { type, start, end } of boxes) {
    const table = TABLES[type]
    if (table === undefined) continue
    const isShort = start + table.start > end
    const isEqual = type === 'stsz' && !isShort && view.getUint32(start + 4) !== 0
    const count = isShort ? Number.POSITIVE_INFINITY : view.getUint32(start + table.start - 4)
    const needed = table.start + (isEqual ? 0 : count * table.entryBytes)
    if (start + needed > end) return `its table ${type} has ${end - start} bytes, but needs ${needed}`
  }
  return undefined
}

/** Whether the track has too many samples of equal size, as uncompressed sound has, to keep a number for each. */
export function hasTooManySamples(view: DataView, track: ReadonlyMap<string, Mp4Box>): boolean {
  const sizes = track.get('stsz')
  return (
    sizes !== undefined && view.getUint32(sizes.start + 4) !== 0 && view.getUint32(sizes.start + 8) > EQUAL_SAMPLES_MAX
  )
}

/** Boxes of the first sound track by type; none when there is no such track. */
export function soundTrack(view: DataView, boxes: readonly Mp4Box[]): ReadonlyMap<string, Mp4Box> {
  let track = new Map<string, Mp4Box>()
  for (const box of boxes) {
    if (box.type === 'trak') {
      if (isSound(view, track)) break
      track = new Map()
    }
    if (!track.has(box.type)) track.set(box.type, box)
  }
  return isSound(view, track) ? track : new Map()
}

function isSound(view: DataView, track: ReadonlyMap<string, Mp4Box>): boolean {
  const handler = track.get('hdlr')
  return handler !== undefined && handler.start + 12 <= handler.end && typeAt(view, handler.start + 8) === 'soun'
}

/** First byte behind the last chunk; 0 when the tables do not say. @see ISO/IEC 14496-12, 8.7.3 and 8.7.4 */
export function findSoundEnd(view: DataView, track: ReadonlyMap<string, Mp4Box>): number {
  const [sizes, runs, chunks] = [track.get('stsz'), track.get('stsc'), track.get('stco') ?? track.get('co64')]
  if (sizes === undefined || runs === undefined || chunks === undefined) return 0
  const [runCount, chunkCount] = [view.getUint32(runs.start + 4), view.getUint32(chunks.start + 4)]
  const bytesEach = chunks.type === 'stco' ? 4 : 8
  const lastRun = runs.start + 8 + (runCount - 1) * 12
  const lastChunk = chunks.start + 8 + (chunkCount - 1) * bytesEach
  if (runCount === 0 || chunkCount === 0 || lastRun + 12 > runs.end || lastChunk + bytesEach > chunks.end) return 0
  const start = bytesEach === 4 ? view.getUint32(lastChunk) : Number(view.getBigUint64(lastChunk))
  return start + sumLastSizes(view, sizes, view.getUint32(lastRun + 4))
}

function sumLastSizes(view: DataView, sizes: Mp4Box, count: number): number {
  const [fixed, total] = [view.getUint32(sizes.start + 4), view.getUint32(sizes.start + 8)]
  const taken = Math.min(count, total)
  if (fixed > 0) return fixed * taken
  const end = sizes.start + 12 + total * 4
  if (end > sizes.end) return 0
  let sum = 0
  for (let at = end - taken * 4; at < end; at += 4) sum += view.getUint32(at)
  return sum
}

/** Channels of the track's first kind of sound. @see ISO/IEC 14496-12, 12.2.3; ISO/IEC 14496-3, 1.6.2.1 */
export function readChannels(view: DataView, track: ReadonlyMap<string, Mp4Box>): number | undefined {
  const box = track.get('stsd')
  if (box === undefined || box.start + 60 > box.end) return undefined
  const entry = box.start + 8
  if (typeAt(view, entry + 4) === 'mp4a') return readAacChannels(view, entry, box.end)
  return view.getUint16(entry + 16) === 2 ? view.getUint32(entry + 48) : view.getUint16(entry + 24)
}

/** The entry's own count is 2 for mono as well, so that the AudioSpecificConfig is asked. */
function readAacChannels(view: DataView, entry: number, end: number): number | undefined {
  const at = findAacConfig(view, entry, end)
  if (at === undefined) return undefined
  const [first, second] = [view.getUint8(at), view.getUint8(at + 1)]
  const rate = ((first & 7) << 1) | (second >> 7)
  // Both make the fields behind them lie elsewhere.
  if (first >> 3 === 31 || rate === 15) return undefined
  const channels = (second >> 3) & 15
  return channels === 0 || channels > 7 ? undefined : channels === 7 ? 8 : channels
}

/** Steps into the descriptors of an esds box as far as the codec's own. @see ISO/IEC 14496-1, 7.2.6 */
function findAacConfig(view: DataView, entry: number, end: number): number | undefined {
  const box = latin1(new Uint8Array(view.buffer), entry, Math.min(end - entry, 512)).indexOf('esds')
  if (box < 0) return undefined
  for (let at = entry + box + 8; at + 4 <= end; ) {
    const tag = view.getUint8(at)
    let byteLength = 0
    let more = true
    for (at += 1; more && at + 2 <= end; at += 1) {
      const byte = view.getUint8(at)
      byteLength = (byteLength << 7) | (byte & 127)
      more = byte > 127
    }
    if (tag === 5) return at
    at += tag === 3 ? 3 : tag === 4 ? 13 : byteLength
  }
  return undefined
}

/** The four characters that name a box. */
export function typeAt(view: DataView, offset: number): string {
  return latin1(new Uint8Array(view.buffer), offset, 4)
}
