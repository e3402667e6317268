import { Flags } from '@oclif/core'
import { SwarmCommand } from './base/swarm-command.ts'
import { formatLedgerView } from './views/ledger-text.ts'

/** Flags that choose receipts. */
const ledgerFlags = {
  job: Flags.string({ description: 'Only this job', helpValue: 'ID' }),
  peer: Flags.string({ description: 'Only this peer: its id, the end of it, or its name', helpValue: 'PEER' })
}

/** `swarm ledger` */
export class Ledger extends SwarmCommand {
  static override summary = 'Show who did what, as far as this peer could verify.'
  static override description =
    'Credit is the sum over distinct chunks with a receipt that worker and submitter both signed; times are as claimed. ' +
    "A submitter's own chunks are listed and earn nothing. This stops neither one person with many identities nor two " +
    'who vouch for each other.'
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> --job ID --json',
    '<%= config.bin %> ledger verify swarm-out/ID/ledger.bin'
  ]
  static override flags = ledgerFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(Ledger)
    const filter = {
      ...(flags.job === undefined ? {} : { job: flags.job }),
      ...(flags.peer === undefined ? {} : { peer: flags.peer })
    }
    await this.withRecords(flags.home, async (records) => {
      const view = await records.ledger(filter, { signal: this.signal })
      this.show(flags.json, view, () => formatLedgerView(view, this.terminal.wallMs()))
    })
  }
}
