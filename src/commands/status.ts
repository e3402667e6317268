import { SwarmCommand } from './base/swarm-command.ts'
import { formatStatus } from './views/home-text.ts'

/** `swarm status` */
export class Status extends SwarmCommand {
  static override summary = 'Show this peer: its swarm, its addresses, what it works on.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    const { flags } = await this.parse(Status)
    await this.withRecords(flags.home, async (records) => {
      const status = await records.status({ signal: this.signal })
      this.show(flags.json, status, () => formatStatus(status))
    })
  }
}
