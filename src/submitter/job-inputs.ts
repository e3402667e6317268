import { bareChunk } from '../domain/lease-chunks.ts'
import { OperandHolders } from '../domain/operand-holders.ts'
import { TileCutter } from '../domain/tile-cutter.ts'
import { SwarmError } from '../errors.ts'
import { parseMatrixPlan } from '../tasks/matrix/matrix-plan.ts'
import { TileGrid } from '../tasks/matrix/tile-grid.ts'
import type { TaskKind } from '../tasks/task-kind.ts'
import { ChunkSource, rangesOf } from './chunk-source.ts'
import { type InputParts, type JobInputs, kernelCall } from './job-input-parts.ts'
import { MatrixSource } from './matrix-source.ts'

/** @throws SwarmError JOURNAL_CORRUPT */
export type MakeInputs = (parts: InputParts) => JobInputs

/** @returns what makes the inputs of a kind's jobs; what knows sound is loaded for such jobs alone */
export async function inputsMaker({ takes }: TaskKind): Promise<MakeInputs> {
  switch (takes) {
    case 'ranges':
      return rangeInputs
    case 'tiles':
      return tileInputs
    case 'segments':
      return (await import('./segment-inputs.ts')).segmentInputs
  }
}

function rangeInputs({ ports, record }: InputParts): JobInputs {
  const { compute, buffers } = ports
  return { source: new ChunkSource(rangesOf(record.options.inputPath), kernelCall(record), compute, buffers) }
}

function tileInputs({ ports, record, restored, signal }: InputParts): JobInputs {
  const { spec, options } = record
  const { compute, shared, collectGarbage } = ports
  const { operands } = options
  if (operands === undefined) throw new SwarmError('JOURNAL_CORRUPT', `job ${spec.jobId} does not name its operands`)
  const grid = new TileGrid(parseMatrixPlan(spec.params))
  const holders = new OperandHolders()
  const files = { a: operands.a.path, b: operands.b.path }
  const call = { kernelId: spec.kernelId, params: spec.params }
  const source = new MatrixSource({ grid, call, files, holders, compute, shared, signal, collectGarbage })
  return { source, cutter: new TileCutter(grid, holders, restored.map(bareChunk)) }
}
