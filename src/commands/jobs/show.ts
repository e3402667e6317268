import { jobArgs } from '../base/job-args.ts'
import { parseJobIdArgument } from '../base/job-command.ts'
import { SwarmCommand } from '../base/swarm-command.ts'
import { formatJob } from '../views/jobs-text.ts'

/** `swarm jobs show` */
export class JobsShow extends SwarmCommand {
  static override summary = 'Show one job: state, outputs, who did what.'
  static override examples = ['<%= config.bin %> <%= command.id %> ID']
  static override args = jobArgs

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobsShow)
    const jobId = parseJobIdArgument(args.id)
    await this.withRecords(flags.home, async (records) => {
      const job = await records.job(jobId, { signal: this.signal })
      this.show(flags.json, job, () => formatJob(job))
    })
  }
}
