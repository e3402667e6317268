import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { formatBytes, parseByteSize } from '../cli/quantities.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { SwarmCommand } from './base/swarm-command.ts'

/** One hour of mono Float32 at 44.1 kHz. */
export const GENERATE_BYTES = 635_040_000

const SAMPLE_BYTES = 4
const SEED_MAX = 2 ** 32 - 1

/** `swarm generate` */
export class Generate extends SwarmCommand {
  static override summary = 'Write Float32 noise in [-1, 1), to try things with.'
  static override description = 'The same seed and size give the same bytes everywhere.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> noise.f32',
    '<%= config.bin %> <%= command.id %> small.f32 --size 64MiB --seed 7'
  ]
  static override args = {
    file: Args.string({ description: 'File to write', required: true, ignoreStdin: true })
  }
  static override flags = {
    size: Flags.string({ description: 'Bytes (default: one hour of mono at 44.1 kHz, 635040000)', helpValue: 'SIZE' }),
    seed: Flags.integer({ description: 'Seed', default: 1, min: 0, max: SEED_MAX }),
    force: Flags.boolean({ description: 'Replace the file when it exists', default: false })
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Generate)
    const byteLength = flags.size === undefined ? GENERATE_BYTES : parseByteSize(flags.size)
    if (byteLength % SAMPLE_BYTES !== 0) {
      throw new SwarmError(
        'SIZE_MALFORMED',
        `${byteLength} bytes are no whole number of ${SAMPLE_BYTES}-byte samples`,
        {
          exitCode: EXIT_CODES.usage
        }
      )
    }
    const written = await this.app.generate(
      { path: resolve(args.file), byteLength, seed: flags.seed, force: flags.force },
      { signal: this.signal }
    )
    this.show(
      flags.json,
      written,
      () => `${written.path}\n${formatBytes(written.byteLength)}, seed ${written.seed}, sha256 ${written.sha256}`
    )
  }
}
