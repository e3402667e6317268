import { Args } from '@oclif/core'

/** Argument of the commands on one job. */
export const jobArgs = {
  id: Args.string({ description: 'Job id, as "swarm jobs" shows it', required: true, ignoreStdin: true })
}
