import { wavMalformed, wavUnknown, wavUnsupported } from './wav-error.ts'
import type { WavScan } from './wav-scan.ts'

/** A file's first twelve bytes. */
export interface RiffHead {
  readonly container: 'riff' | 'rf64' | 'bw64'
  /** Of everything behind the first eight bytes, as told. */
  readonly riffBytes: number
  readonly firstChunkOffset: number
}

const HEAD_BYTES = 12
const CONTAINERS: ReadonlyMap<string, RiffHead['container']> = new Map([
  ['RIFF', 'riff'],
  ['RF64', 'rf64'],
  ['BW64', 'bw64']
])

/**
 * @throws SwarmError WAV_UNKNOWN for what is no RIFF file or holds something else; WAV_UNSUPPORTED for a big-endian one;
 *   WAV_MALFORMED for one that ends in its head
 */
export function readRiffHead(scan: WavScan): RiffHead {
  const { path, byteLength } = scan.file
  const expected = 'expected "RIFF", "RF64" or "BW64"'
  if (byteLength < 4) throw wavUnknown(path, 0, `${expected}, but the file has ${byteLength} bytes`)
  const magic = scan.id(0)
  if (magic === 'RIFX') {
    throw wavUnsupported(path, 0, `${expected}, but found "RIFX", which is big-endian; convert it first`)
  }
  const container = CONTAINERS.get(magic)
  if (container === undefined) {
    const hex = Array.from(scan.bytes(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    throw wavUnknown(path, 0, `${expected}, but found bytes ${hex}`)
  }
  if (byteLength < HEAD_BYTES) {
    throw wavMalformed(path, 4, `expected a length and "WAVE", but the file ends after ${byteLength} bytes`)
  }
  const form = scan.id(8)
  if (form !== 'WAVE') throw wavUnknown(path, 8, `expected "WAVE", but found ${JSON.stringify(form)}`)
  return { container, riffBytes: scan.uint32(4), firstChunkOffset: HEAD_BYTES }
}
