import { SwarmCommand } from './base/swarm-command.ts'
import { formatJobs } from './views/jobs-text.ts'

/** `swarm jobs`, also as `swarm jobs list` */
export class Jobs extends SwarmCommand {
  static override summary = 'List the jobs of this home, newest first.'
  static override aliases = ['jobs:list']
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    const { flags } = await this.parse(Jobs)
    await this.withRecords(flags.home, async (records) => {
      const jobs = await records.jobs({ signal: this.signal })
      this.show(flags.json, { jobs }, () => formatJobs(jobs, this.terminal.wallMs()))
    })
  }
}
