import { JobProgress } from '../../cli/job-progress.ts'
import type { JobEvent } from '../../domain/events.ts'
import { type JobId, parseJobId } from '../../domain/ids.ts'
import { EXIT_CODES, type ExitCode, SwarmError } from '../../errors.ts'
import { SwarmCommand } from './swarm-command.ts'

/** Exit codes of failures that are not the job's own fault. */
const FAILURE_EXIT_CODES: Readonly<Record<string, ExitCode>> = {
  NO_PEERS: EXIT_CODES.noPeers,
  DISK_FULL: EXIT_CODES.tryAgain,
  RESULT_REFUSED: EXIT_CODES.verificationFailed
}

/** A command that shows the events of one job. */
export abstract class JobCommand extends SwarmCommand {
  protected override get stoppingMessage(): string {
    return 'stopping the job; once more to quit at once'
  }

  /**
   * Shows a job's events up to its last, and sets the exit code by it. Stops reading early when `isEnough` says so.
   *
   * @throws SwarmError PROCESS_GONE when the events end without a last one
   */
  protected async showJob(
    events: AsyncIterable<JobEvent>,
    json: boolean,
    isEnough: (event: JobEvent) => boolean = () => false
  ): Promise<void> {
    const progress = new JobProgress(this.terminal, json)
    let last: JobEvent | undefined
    try {
      for await (const event of events) {
        last = event
        progress.show(event)
        if (isEnough(event)) return
      }
    } finally {
      progress.close()
    }
    this.#finish(last)
  }

  #finish(last: JobEvent | undefined): void {
    // The reader left: there is nobody to tell how it went on.
    if (this.signal.aborted && !this.interrupted) return
    switch (last?.event) {
      case 'done':
        return
      case 'failed':
        this.terminal.setExitCode(FAILURE_EXIT_CODES[last.code] ?? EXIT_CODES.jobFailed)
        return
      case 'stopped':
        this.terminal.setExitCode(this.interrupted ? EXIT_CODES.interrupted : EXIT_CODES.tryAgain)
        return
      case 'cancelled':
        this.terminal.setExitCode(EXIT_CODES.jobFailed)
        return
      default:
        if (this.signal.aborted) throw this.signal.reason
        throw new SwarmError('PROCESS_GONE', 'the job said nothing more; see "swarm jobs" for its state', {
          exitCode: EXIT_CODES.tryAgain
        })
    }
  }
}

/** Reads a job id from the command line. @throws SwarmError JOB_ID_MALFORMED */
export function parseJobIdArgument(text: string): JobId {
  const jobId = parseJobId(text)
  if (jobId === undefined) {
    throw new SwarmError(
      'JOB_ID_MALFORMED',
      `"${text}" is no job id: expected the 26 characters that "swarm jobs" shows`,
      { exitCode: EXIT_CODES.usage }
    )
  }
  return jobId
}
