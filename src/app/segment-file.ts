import { FileReader } from '../compute/file-reader.ts'
import type { AudioSource } from '../domain/job.ts'
import type { JournalJob } from '../domain/journal.ts'
import type { SegmentFile } from '../domain/result-sink.ts'
import { SwarmError } from '../errors.ts'
import { wav } from '../tasks/wav/audio-kinds.ts'
import { parseWav } from '../tasks/wav/container/parse-wav.ts'
import { type KeptRanges, layOutWav, partBytes, type WavPart } from '../tasks/wav/container/wav-layout.ts'
import { segmentJob } from '../tasks/wav/segment-jobs.ts'
import { wavPassesOf } from '../tasks/wav/wav.ts'

/**
 * Makes what stands around the audio of a job's result: a header for its format, and the chunks of the source that are kept
 * where they were. The same for each start of a job, since its input may not change.
 */
export async function segmentFile({ options, spec }: JournalJob): Promise<SegmentFile> {
  const { audio } = options
  if (audio === undefined)
    throw new SwarmError('JOURNAL_CORRUPT', `job ${spec.jobId} does not say where its samples lie`)
  const { kind, params } = spec
  const none = new Uint8Array(0)
  const output = segmentJob(kind, params).pass(segmentJob(kind, params).grid.passCount - 1).output
  if (kind !== wav.kind || output === undefined) return { kind, params, head: none, tail: none }
  const { channelMask, source } = wavPassesOf(params).plan
  const mask = output.channels === source.channels ? channelMask : undefined
  using reader = new FileReader(audio.input.path)
  const shape = { shape: output, encoding: output.encoding, ...(mask !== undefined && { channelMask: mask }) }
  const { parts } = layOutWav(shape, keptOf(audio, reader))
  const middle = parts.findIndex((part) => part.kind === 'audio')
  return { kind, params, head: join(parts.slice(0, middle), reader), tail: join(parts.slice(middle + 1), reader) }
}

/** Audio that had to be decoded first has no chunks. */
function keptOf({ input, request, samples }: AudioSource, reader: FileReader): KeptRanges {
  return samples.path === input.path
    ? parseWav(reader, { salvage: request.salvage ?? false })
    : { before: [], after: [] }
}

function join(parts: readonly WavPart[], reader: FileReader): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + partBytes(part), 0))
  let offset = 0
  for (const part of parts) {
    if (part.kind === 'bytes') bytes.set(part.bytes, offset)
    if (part.kind === 'copy') bytes.set(reader.read(part.range.offset, part.range.byteLength), offset)
    offset += partBytes(part)
  }
  return bytes
}
