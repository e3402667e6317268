import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { EXIT_CODES } from '../../errors.ts'
import { homeOption, SwarmCommand } from '../base/swarm-command.ts'
import { formatLedgerReport } from '../views/ledger-text.ts'

/** `swarm ledger verify` */
export class LedgerVerify extends SwarmCommand {
  static override summary = 'Check signatures, feeds and job roots, offline. Exit code 3 when anything is wrong.'
  static override description =
    "Without a file it checks all that this home holds. With --input it also hashes each chunk's input."
  static override examples = [
    '<%= config.bin %> <%= command.id %>',
    '<%= config.bin %> <%= command.id %> swarm-out/ID/ledger.bin --input noise.f32'
  ]
  static override args = {
    file: Args.string({ description: 'Ledger file, as "ledger export" writes it', ignoreStdin: true })
  }
  static override flags = {
    input: Flags.string({ description: "The job's input file", helpValue: 'FILE' })
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LedgerVerify)
    const report = await this.app.verifyLedger(
      {
        ...homeOption(flags.home),
        ...(args.file === undefined ? {} : { file: resolve(args.file) }),
        ...(flags.input === undefined ? {} : { inputPath: resolve(flags.input) })
      },
      { signal: this.signal }
    )
    this.show(flags.json, report, () => formatLedgerReport(report, this.terminal.wallMs()))
    if (!report.valid) this.terminal.setExitCode(EXIT_CODES.verificationFailed)
  }
}
