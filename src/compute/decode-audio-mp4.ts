import { EXIT_CODES, SwarmError } from '../errors.ts'
import {
  findLyingTable,
  findSoundEnd,
  hasTooManySamples,
  type Mp4Box,
  readChannels,
  soundTrack,
  typeAt
} from './decode-audio-mp4-track.ts'
import { latin1 } from './decode-audio-sniff.ts'
import { readUpTo, readWhole } from './file-range.ts'

/** The tables of a film of several days take less. */
const MOOV_BYTES_MAX = 128 * 1024 * 1024
/** Larger tables are given to the decoder at once, since it reads them again with every piece until they are complete. */
const MOOV_IN_PLACE_BYTES = 64 * 1024
/** A whole file has a handful of boxes in front of its tables. */
const BOXES_MAX = 10_000
const CONTAINERS = ['trak', 'edts', 'mdia', 'minf', 'stbl']

/** Where the tables of an MP4 file are, and what they say. */
export interface Mp4Tables {
  /** The tables, with chunk offsets for a file that begins with them, where the file itself has them at its end. */
  readonly moved?: Uint8Array
  readonly channels?: number
  /** Why the built-in decoder must not see it. */
  readonly unsuitable?: string
  /** Why the file cannot be whole. */
  readonly damage?: string
}

interface FoundMoov {
  readonly start: number
  readonly end: number
  readonly behindMedia: boolean
}

/**
 * Reads the tables of an MP4 or QuickTime file, so that one with them at its end can be read in one go as well: put
 * {@link Mp4Tables.moved} in front of the file.
 *
 * @param path for errors
 * @param descriptor of the open file
 * @throws SwarmError AUDIO_MALFORMED when there are no tables, or they are absurdly large; INPUT_UNREADABLE
 * @see ISO/IEC 14496-12, 8.2 and 8.7.5
 */
export function readMp4Tables(path: string, descriptor: number, fileBytes: number): Mp4Tables {
  try {
    return readTables(path, descriptor, fileBytes)
  } catch (error) {
    // What a DataView says of an offset beyond its end.
    if (error instanceof RangeError)
      throw malformed(path, 'a box of its tables (moov) is too short for what it holds', error)
    throw error
  }
}

function readTables(path: string, descriptor: number, fileBytes: number): Mp4Tables {
  const found = findMoov(path, descriptor, fileBytes)
  const bytes = new Uint8Array(found.end - found.start)
  readWhole(descriptor, bytes, found.start, path)
  const view = new DataView(bytes.buffer)
  const boxes = [...walk(view, { type: 'moov', start: 8, end: bytes.byteLength })]
  const lie = findLyingTable(view, boxes)
  if (lie !== undefined) throw malformed(path, lie)
  const track = soundTrack(view, boxes)
  const channels = readChannels(view, track)
  const soundEnd = findSoundEnd(view, track)
  const moves =
    found.behindMedia || (bytes.byteLength > MOOV_IN_PLACE_BYTES && !boxes.some(({ type }) => type === 'mvex'))
  if (moves) shiftChunks(path, view, boxes, bytes.byteLength)
  return {
    ...(moves ? { moved: bytes } : {}),
    ...(hasTooManySamples(view, track) ? { unsuitable: 'it lists too many uncompressed samples' } : {}),
    ...(channels === undefined ? {} : { channels }),
    ...(soundEnd > fileBytes ? { damage: `its sound ends at byte ${soundEnd}, but it has ${fileBytes} bytes` } : {})
  }
}

function findMoov(path: string, descriptor: number, fileBytes: number): FoundMoov {
  const bytes = new Uint8Array(16)
  const header = new DataView(bytes.buffer)
  let behindMedia = false
  let offset = 0
  for (let count = 0; offset + 8 <= fileBytes && count < BOXES_MAX; count += 1) {
    readUpTo(descriptor, bytes, offset, path)
    const type = latin1(bytes, 4, 4)
    const short = header.getUint32(0)
    const byteLength = short === 1 ? Number(header.getBigUint64(8)) : short === 0 ? fileBytes - offset : short
    const end = offset + byteLength
    if (type === 'moov') {
      if (end > fileBytes) throw malformed(path, `its tables (moov) at offset ${offset} are cut off`)
      if (short === 1 || byteLength > MOOV_BYTES_MAX) {
        throw malformed(
          path,
          `its tables (moov) at offset ${offset} take ${byteLength} bytes, at most ${MOOV_BYTES_MAX}`
        )
      }
      return { start: offset, end, behindMedia }
    }
    if (byteLength < 8) throw malformed(path, `the box at offset ${offset} takes ${byteLength} bytes, but at least 8`)
    if (type === 'mdat') behindMedia = true
    offset = end
  }
  throw malformed(
    path,
    `it has no tables (moov) up to offset ${Math.min(offset, fileBytes)}: it was not written to its end`
  )
}

function* walk(view: DataView, parent: Mp4Box): Generator<Mp4Box> {
  for (let offset = parent.start; offset + 8 <= parent.end; ) {
    const byteLength = view.getUint32(offset)
    if (byteLength < 8 || offset + byteLength > parent.end) return
    const box = { type: typeAt(view, offset + 4), start: offset + 8, end: offset + byteLength }
    yield box
    if (CONTAINERS.includes(box.type)) yield* walk(view, box)
    offset += byteLength
  }
}

function shiftChunks(path: string, view: DataView, boxes: readonly Mp4Box[], shift: number): void {
  for (const { type, start, end } of boxes) {
    if (type !== 'stco' && type !== 'co64') continue
    const bytesEach = type === 'stco' ? 4 : 8
    const last = Math.min(end, start + 8 + view.getUint32(start + 4) * bytesEach)
    for (let at = start + 8; at + bytesEach <= last; at += bytesEach) {
      const offset = (bytesEach === 4 ? view.getUint32(at) : Number(view.getBigUint64(at))) + shift
      if (bytesEach === 8) view.setBigUint64(at, BigInt(offset))
      else if (offset < 2 ** 32) view.setUint32(at, offset)
      else throw malformed(path, `its tables (moov) are at its end and name offset ${offset}, too close to 4 GiB`)
    }
  }
}

function malformed(path: string, reason: string, cause?: unknown): SwarmError {
  return new SwarmError('AUDIO_MALFORMED', `${path} is no whole MP4 file: ${reason}`, {
    cause,
    exitCode: EXIT_CODES.usage
  })
}
