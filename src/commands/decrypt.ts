import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { formatBytes } from '../cli/quantities.ts'
import { SwarmCommand } from './base/swarm-command.ts'

/** `swarm decrypt` */
export class Decrypt extends SwarmCommand {
  static override summary = "Check and decrypt a job's result."
  static override description =
    'The tag is checked before a plain byte is written; exit code 3 when the file was changed. Key, iv and tag are ' +
    'looked for beside the encrypted file.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> swarm-out/ID',
    '<%= config.bin %> <%= command.id %> result.raw.enc --key-file key.bin --out result.raw'
  ]
  static override args = {
    path: Args.string({ description: "A job's output folder, or its .enc file", required: true, ignoreStdin: true })
  }
  static override flags = {
    out: Flags.string({ description: 'File to write (default: the same name without .enc)', helpValue: 'FILE' }),
    'key-file': Flags.string({ description: 'Key (default: encryption_key.bin beside it)', helpValue: 'FILE' }),
    force: Flags.boolean({ description: 'Replace the file when it exists', default: false })
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Decrypt)
    const written = await this.app.decrypt(
      {
        path: resolve(args.path),
        ...(flags.out === undefined ? {} : { outPath: resolve(flags.out) }),
        ...(flags['key-file'] === undefined ? {} : { keyFile: resolve(flags['key-file']) }),
        force: flags.force
      },
      { signal: this.signal }
    )
    this.show(flags.json, written, () => `${written.path}\n${formatBytes(written.byteLength)}, tag right`)
  }
}
