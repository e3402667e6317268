import { jobArgs } from '../base/job-args.ts'
import { parseJobIdArgument } from '../base/job-command.ts'
import { SwarmCommand } from '../base/swarm-command.ts'

/** `swarm jobs cancel` */
export class JobsCancel extends SwarmCommand {
  static override summary = 'End a job for good. Receipts for what was merged stand.'
  static override examples = ['<%= config.bin %> <%= command.id %> ID']
  static override args = jobArgs

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobsCancel)
    const jobId = parseJobIdArgument(args.id)
    await this.withRecords(flags.home, async (records) => {
      const job = await records.cancel(jobId, { signal: this.signal })
      this.show(flags.json, job, () => `cancelled job ${job.jobId}`)
    })
  }
}
