import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { SwarmCommand } from '../base/swarm-command.ts'

/** `swarm ledger export` */
export class LedgerExport extends SwarmCommand {
  static override summary = 'Write receipts to a file that anybody can verify offline.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> all.bin',
    '<%= config.bin %> <%= command.id %> job.bin --job ID'
  ]
  static override args = {
    file: Args.string({ description: 'File to write', required: true, ignoreStdin: true })
  }
  static override flags = {
    job: Flags.string({ description: 'Only this job', helpValue: 'ID' })
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LedgerExport)
    const request = { path: resolve(args.file), ...(flags.job === undefined ? {} : { job: flags.job }) }
    await this.withRecords(flags.home, async (records) => {
      const written = await records.exportLedger(request, { signal: this.signal })
      this.show(flags.json, written, () => `wrote ${written.receipts} receipts to ${written.path}`)
    })
  }
}
