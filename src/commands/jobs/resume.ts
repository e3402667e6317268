import { jobArgs } from '../base/job-args.ts'
import { JobCommand, parseJobIdArgument } from '../base/job-command.ts'
import { peerFlags } from '../base/swarm-command.ts'

/** `swarm jobs resume` */
export class JobsResume extends JobCommand {
  static override summary = 'Go on with a job that was stopped or interrupted. What was merged is not done again.'
  static override examples = ['<%= config.bin %> <%= command.id %> ID']
  static override args = jobArgs
  static override flags = { ...peerFlags }

  protected override get outlivesReader(): boolean {
    return true
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobsResume)
    const jobId = parseJobIdArgument(args.id)
    await this.withApp(flags, (app) => this.showJob(app.resume(jobId, { signal: this.signal }), flags.json))
  }
}
