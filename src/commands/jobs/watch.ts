import { jobArgs } from '../base/job-args.ts'
import { JobCommand, parseJobIdArgument } from '../base/job-command.ts'
import { homeOption } from '../base/swarm-command.ts'

/** `swarm jobs watch` */
export class JobsWatch extends JobCommand {
  static override summary = 'Follow a job that runs in the joined process. Ctrl-C leaves the job alone.'
  static override examples = ['<%= config.bin %> <%= command.id %> ID', '<%= config.bin %> <%= command.id %> ID --json']
  static override args = jobArgs

  protected override get stoppingMessage(): string {
    return 'no longer watching; the job goes on'
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobsWatch)
    const jobId = parseJobIdArgument(args.id)
    const { signal } = this
    await this.using(this.app.connect(homeOption(flags.home), { signal }), (app) =>
      this.showJob(app.watch(jobId, { signal }), flags.json)
    )
  }
}
