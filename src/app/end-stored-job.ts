import { rmSync } from 'node:fs'
import { isFinalState } from '../domain/events.ts'
import type { JobId } from '../domain/ids.ts'
import type { Journal } from '../domain/journal.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { outputPaths } from '../store/output-names.ts'
import { requireTaskKind } from '../tasks/registry.ts'

/** @returns the error for a job that this home does not know. */
export function unknownJob(jobId: string): SwarmError {
  return new SwarmError('JOB_UNKNOWN', `this home knows no job ${jobId}: see "swarm jobs"`, {
    exitCode: EXIT_CODES.usage
  })
}

/** Cancels a job that nobody runs, and removes its partial output. @throws SwarmError JOB_UNKNOWN, JOB_ENDED */
export function cancelStored(jobId: JobId, journal: Journal): void {
  const record = journal.get(jobId)
  if (record === undefined) throw unknownJob(jobId)
  const { spec, options, sealing, state } = record
  if (isFinalState(state)) {
    throw new SwarmError('JOB_ENDED', `job ${jobId} is ${state}: there is nothing left to cancel`)
  }
  journal.close(jobId, 'cancelled', {})
  const fileName = `result.${requireTaskKind(spec.kind).extension}`
  const sealed = sealing === undefined ? {} : { sealing }
  const { partial } = outputPaths({ outDir: options.outDir, fileName, partialTag: jobId, ...sealed })
  rmSync(partial, { force: true })
}
