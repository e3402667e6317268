import { SwarmCommand } from './base/swarm-command.ts'
import { formatInvite } from './views/home-text.ts'

/** `swarm invite` */
export class Invite extends SwarmCommand {
  static override summary = 'Print the code with which another machine joins the swarm.'
  static override description = 'Whoever has the code is a member: give it only to machines you trust.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> | ssh other swarm join -'
  ]

  async run(): Promise<void> {
    const { flags } = await this.parse(Invite)
    await this.withRecords(flags.home, async (records) => {
      const invite = await records.invite({ signal: this.signal })
      this.show(flags.json, invite, () => formatInvite(invite))
    })
  }
}
