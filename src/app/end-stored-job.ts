import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { isFinalState } from '../domain/events.ts'
import type { JobId } from '../domain/ids.ts'
import { decodedSamples, type Journal, type JournalJob } from '../domain/journal.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { outputPaths, partialPaths } from '../store/output-names.ts'
import { requireTaskKind } from '../tasks/registry.ts'

/** @returns the error for a job that this home does not know. */
export function unknownJob(jobId: string): SwarmError {
  return new SwarmError('JOB_UNKNOWN', `this home knows no job ${jobId}: see "swarm jobs"`, {
    exitCode: EXIT_CODES.usage
  })
}

/** Removes what a job that has ended had decoded of its input; one that can be resumed keeps it. */
export async function dropSamples(job: JournalJob | undefined): Promise<void> {
  if (job === undefined || !isFinalState(job.state)) return
  const samples = decodedSamples(job.options)
  if (samples !== undefined) await rm(samples, { force: true })
}

/** Cancels a job that nobody runs, and removes its partial outputs. @throws SwarmError JOB_UNKNOWN, JOB_ENDED */
export function cancelStored(jobId: JobId, journal: Journal): void {
  const record = journal.get(jobId)
  if (record === undefined) throw unknownJob(jobId)
  const { spec, options, sealing, state } = record
  if (isFinalState(state)) {
    throw new SwarmError('JOB_ENDED', `job ${jobId} is ${state}: there is nothing left to cancel`)
  }
  journal.close(jobId, 'cancelled', {})
  const { extension, takes } = requireTaskKind(spec.kind)
  const place = { outDir: options.outDir, fileName: `result.${extension}`, partialTag: jobId }
  const sealed = sealing === undefined ? {} : takes === 'ranges' ? { sealing } : { sealAfter: sealing }
  const left = [...partialPaths(outputPaths({ ...place, ...sealed })), decodedSamples(options)]
  for (const path of left) if (path !== undefined) rmSync(path, { force: true })
}
