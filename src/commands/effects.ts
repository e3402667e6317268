import { describeEffects, type EffectDescription } from '../app/effects.ts'
import { BaseCommand } from '../cli/base-command.ts'

/** `swarm effects` */
export class Effects extends BaseCommand {
  static override summary = 'List the effects that --task wav knows, with ranges and units.'
  static override examples = ['<%= config.bin %> <%= command.id %>', '<%= config.bin %> <%= command.id %> --json']

  async run(): Promise<void> {
    const { flags } = await this.parse(Effects)
    const effects = describeEffects()
    this.show(flags.json, { effects }, () => effects.map(formatEffect).join('\n\n'))
  }
}

function formatEffect({ usage, summary, measures, parameters }: EffectDescription): string {
  const lines = parameters.map(({ name, summary: text, expected }) => `    ${name}: ${text}; ${expected}`)
  const pass = measures ? ' The whole file is measured first.' : ''
  return [usage, `  ${summary}${pass}`, ...lines].join('\n')
}
