import type { Cutter } from '../domain/chunk-cutter.ts'
import type { JournalChunk, JournalJob } from '../domain/journal.ts'
import type { ResultSink, SegmentFile } from '../domain/result-sink.ts'
import type { KernelCall } from '../tasks/task-kind.ts'
import type { ChunkInputs } from './chunk-input.ts'
import type { SubmitterPorts } from './ports.ts'

/** What the inputs of a job's chunks are made of. */
export interface InputParts {
  readonly record: JournalJob
  /** Chunks of a former incarnation. */
  readonly restored: readonly JournalChunk[]
  readonly sink: Pick<ResultSink, 'placedPath'>
  /** Jobs of segments only. */
  readonly file: SegmentFile | undefined
  readonly ports: SubmitterPorts
  /** Aborts when the job ends. */
  readonly signal: AbortSignal
}

/** Where the inputs of chunks come from, and what cuts them where that is not the range after the last. */
export interface JobInputs {
  readonly source: ChunkInputs
  readonly cutter?: Cutter
}

/** What kernels are told of a job beside its inputs. */
export function kernelCall({ spec }: JournalJob): KernelCall {
  return { kind: spec.kind, params: spec.params, reverse: spec.reverse }
}
