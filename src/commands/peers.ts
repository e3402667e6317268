import { SwarmCommand } from './base/swarm-command.ts'
import { formatPeers } from './views/home-text.ts'

/** `swarm peers` */
export class Peers extends SwarmCommand {
  static override summary = 'List the peers that are connected or remembered.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    const { flags } = await this.parse(Peers)
    await this.withRecords(flags.home, async (records) => {
      const peers = await records.peers({ signal: this.signal })
      this.show(flags.json, { peers }, () => formatPeers(peers, this.terminal.wallMs()))
    })
  }
}
