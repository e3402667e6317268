import { resolve } from 'node:path'
import { Flags } from '@oclif/core'
import type { SwarmApp } from '../../app/api-types.ts'
import type { JobEvent } from '../../domain/events.ts'
import type { JobId } from '../../domain/ids.ts'
import { EXIT_CODES } from '../../errors.ts'
import { jobArgs } from '../base/job-args.ts'
import { JobCommand, parseJobIdArgument } from '../base/job-command.ts'
import { peerFlags } from '../base/swarm-command.ts'
import { OUT_ROOT } from '../submit.ts'
import { formatReplay } from '../views/replay-text.ts'

/** `swarm jobs replay` */
export class JobsReplay extends JobCommand {
  static override summary = 'Run an ended job again as it ran, and compare: results, times, throughput, efficiency.'
  static override description =
    'The same input, task and options make a new job. Exits with 3 when the results differ where they must not: with ' +
    'every kernel but the fast matrix kernel, whose largest differences are shown instead.'
  static override examples = ['<%= config.bin %> <%= command.id %> ID', '<%= config.bin %> <%= command.id %> ID --json']
  static override args = jobArgs
  static override flags = {
    out: Flags.string({ description: `Folder for the outputs (default: ${OUT_ROOT}/JOB)`, helpValue: 'DIR' }),
    ...peerFlags
  }

  protected override get outlivesReader(): boolean {
    return true
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JobsReplay)
    const jobId = parseJobIdArgument(args.id)
    await this.withApp(flags, (app) => this.#replay(app, jobId, flags))
  }

  async #replay(app: SwarmApp, jobId: JobId, flags: ReplayFlags): Promise<void> {
    const { signal } = this
    const { compareReplay, isBroken, requestReplay } = await import('../../app/replay.ts')
    const original = await app.job(jobId, { signal })
    const request = await requestReplay(original, {
      ...(flags.out !== undefined && { outDir: resolve(flags.out) }),
      outRoot: resolve(OUT_ROOT),
      peers: flags.peer ?? []
    })
    let last: JobEvent | undefined
    await this.showJob(
      observed(app.submit(request, { signal }), (event) => {
        last = event
      }),
      flags.json
    )
    if (last?.event !== 'done') return
    if (!flags.json) this.terminal.err('comparing the two results')
    const view = await compareReplay(original, await app.job(last.jobId, { signal }), { signal })
    this.show(flags.json, view, () => `\n${formatReplay(view)}`)
    if (isBroken(view)) this.terminal.setExitCode(EXIT_CODES.verificationFailed)
  }
}

interface ReplayFlags {
  readonly out?: string | undefined
  readonly peer?: readonly string[] | undefined
  readonly json: boolean
}

async function* observed<T>(events: AsyncIterable<T>, onEvent: (event: T) => void): AsyncIterable<T> {
  for await (const event of events) {
    onEvent(event)
    yield event
  }
}
