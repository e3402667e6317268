import { inputStamps, type JournalJob } from '../domain/journal.ts'
import type { JobTotals } from '../store/history.ts'
import { isExact } from '../tasks/matrix/matrix.ts'
import type { JobDimensions, JobFigures, JobRecipe } from './api-types.ts'

const FLOAT_BYTES = 4

/** How a job went, from its journalled record and the sums over its chunks. */
export function jobFigures({ spec, options, ...record }: JournalJob, totals: JobTotals): JobFigures {
  const { dimensions, chunks, computeMs, transferMs, inputBytes, outputBytes } = totals
  const { unit, unitsOf } = workOf(dimensions)
  const units = unitsOf({ inputBytes, outputBytes })
  const seconds = record.ranMs / 1000
  return {
    kernelId: spec.kernelId,
    local: options.local,
    ...(dimensions !== undefined && { dimensions }),
    unit,
    units,
    outputBytes,
    chunks,
    localChunks: totals.localChunks,
    peerCount: totals.peerCount,
    peers: totals.peers.map((peer) => ({ ...peer, units: unitsOf(peer), computeMs: rounded(peer.computeMs) })),
    releases: record.releases,
    duplicates: record.duplicates,
    totalMs: record.ranMs,
    computeMs: rounded(computeMs),
    transferMs: rounded(transferMs),
    averageChunkMs: rounded(ratio(computeMs, chunks)),
    bytesPerSecond: Math.round(ratio(inputBytes, seconds)),
    unitsPerSecond: Math.round(ratio(units, seconds)),
    efficiency: rounded(ratio(computeMs, computeMs + transferMs) * 100)
  }
}

/** What it takes to run a job again. */
export function jobRecipe(job: JournalJob): JobRecipe {
  const { spec, options } = job
  const { audio, operands } = options
  const product = operands && { rightPath: operands.b.path, exact: isExact(spec.kernelId) }
  return {
    request: {
      inputPath: options.inputPath,
      task: spec.kind,
      reverse: spec.reverse,
      encrypt: options.encrypt,
      ...(options.keyFile !== undefined && { keyFile: options.keyFile }),
      local: options.local,
      ...(options.chunkBytesFixed && { chunkBytes: options.chunkBytesMax }),
      minPeers: options.minPeers,
      waitMs: options.waitMs,
      ...product,
      ...(audio !== undefined && { audio: audio.request })
    },
    inputs: inputStamps(job)
  }
}

/** What a chunk counts for: samples of its input, seconds of sound, or 2 · inner operations for each element of its output. */
function workOf(dimensions: JobDimensions | undefined) {
  if (dimensions !== undefined && 'audioSeconds' in dimensions) {
    const secondsPerByte = dimensions.audioSeconds / dimensions.chunkBytes
    const unitsOf = ({ outputBytes }: { outputBytes: number }) => rounded(outputBytes * secondsPerByte)
    return { unit: 'audio-seconds', unitsOf }
  }
  if (dimensions === undefined || 'samples' in dimensions) {
    return { unit: 'samples', unitsOf: ({ inputBytes }: { inputBytes: number }) => inputBytes / FLOAT_BYTES }
  }
  const flopsPerByte = (2 * dimensions.inner) / FLOAT_BYTES
  return { unit: 'flops', unitsOf: ({ outputBytes }: { outputBytes: number }) => outputBytes * flopsPerByte }
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0
}

/** To a hundredth. */
function rounded(value: number): number {
  return Math.round(value * 100) / 100
}
