import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import type { SubmitRequest } from '../app/api-types.ts'
import { parseByteSize, parseDurationMs } from '../cli/quantities.ts'
import type { AudioRequest, LocalPolicy } from '../domain/job.ts'
import { JobCommand } from './base/job-command.ts'
import { homeOption, peerFlags } from './base/swarm-command.ts'
import { formatPlan } from './views/home-text.ts'

/** Folder below the working directory that gets one folder of outputs per job. */
export const OUT_ROOT = 'swarm-out'
/** How long a job waits for its peers unless told otherwise. */
export const WAIT_DEFAULT_MS = 30_000

const PEERS_MAX = 10_000

/** `swarm submit` */
export class Submit extends JobCommand {
  static override summary = 'Run a job over all machines of the swarm, this one included.'
  static override description =
    'The result is the same bytes as on one machine, whoever took part. Ctrl-C stops the job; "swarm jobs resume" goes ' +
    'on with it. Give --plan to see first what it would cost. Where "swarm join" runs in the same home, that process ' +
    'does the work; otherwise a peer runs for as long as the job lasts.'
  static override examples = [
    '<%= config.bin %> <%= command.id %> noise.f32',
    '<%= config.bin %> <%= command.id %> noise.f32 --plan',
    '<%= config.bin %> <%= command.id %> noise.f32 --out result --no-encrypt --local never --min-peers 2 --wait 60s',
    '<%= config.bin %> <%= command.id %> noise.f32 --json',
    '<%= config.bin %> <%= command.id %> A.npy --task matrix --b B.npy',
    '<%= config.bin %> <%= command.id %> show.wav --task wav --effects "highpass 80, compress -18 3, normalize -16LUFS"',
    '<%= config.bin %> <%= command.id %> show.wav --task silence --threshold -45dB'
  ]
  static override args = {
    file: Args.string({ description: 'Input file', required: true, ignoreStdin: true })
  }
  static override flags = {
    task: Flags.string({ description: 'What to do with the data', default: 'invert', helpValue: 'KIND' }),
    b: Flags.string({ description: 'Second operand of --task matrix, a .npy file', helpValue: 'FILE' }),
    exact: Flags.boolean({ description: 'Matrix: the same bits on every machine, at a fifth of the speed' }),
    effects: Flags.string({
      description: 'Wav: what to do with the audio, such as "highpass 80, normalize -16LUFS"; see "swarm effects"',
      helpValue: 'CHAIN'
    }),
    format: Flags.option({
      description: 'Wav: samples of the result (default: as the input)',
      options: ['pcm16', 'pcm24', 'float32'] as const
    })(),
    salvage: Flags.boolean({ description: 'Wav, silence: read a damaged file as far as it goes' }),
    vad: Flags.boolean({ description: 'Silence: find where somebody speaks, by a voice-activity model' }),
    threshold: Flags.string({ description: 'Silence: below this level (default: -40dB)', helpValue: 'LEVEL' }),
    hysteresis: Flags.string({
      description: 'Silence: ends so far above the threshold (default: 3dB)',
      helpValue: 'DB'
    }),
    'min-silence': Flags.string({ description: 'Silence: shorter ones do not count (default: 2s)', helpValue: 'TIME' }),
    'min-sound': Flags.string({
      description: 'Silence: shorter sounds do not end one (default: 100ms)',
      helpValue: 'TIME'
    }),
    out: Flags.string({ description: `Folder for the outputs (default: ${OUT_ROOT}/JOB)`, helpValue: 'DIR' }),
    'chunk-size': Flags.string({
      description: 'Bytes of a chunk, such as 4MiB (default: adapts); of a product: of a tile of the result, at most',
      helpValue: 'SIZE'
    }),
    local: Flags.option({
      description: 'Whether this machine computes too: as the cost model says, never, or alone',
      options: ['auto', 'never', 'only'] as const satisfies LocalPolicy[],
      default: 'auto' as const
    })(),
    'min-peers': Flags.integer({ description: 'Peers to wait for before it starts', min: 0, max: PEERS_MAX }),
    wait: Flags.string({ description: 'How long to wait for them (default: 30s)', helpValue: 'SECONDS' }),
    reverse: Flags.boolean({ description: 'Reverse the result by sample (default: as the task does)', allowNo: true }),
    encrypt: Flags.boolean({ description: 'Encrypt the result (default: as the task does)', allowNo: true }),
    'key-file': Flags.string({ description: 'Encrypt with the 32 bytes of this file', helpValue: 'FILE' }),
    plan: Flags.boolean({ description: 'Say what it would cost, and move nothing', exclusive: ['detach'] }),
    detach: Flags.boolean({ description: 'Hand the job to the joined process and return' }),
    ...peerFlags
  }

  protected override get outlivesReader(): boolean {
    return true
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Submit)
    const request = buildRequest(args.file, flags)
    const { signal } = this
    if (flags.detach) {
      await this.using(this.app.connect(homeOption(flags.home), { signal }), async (app) => {
        await this.showJob(app.submit(request, { signal }), flags.json, (event) => event.event === 'accepted')
      })
      return
    }
    await this.withApp(flags, async (app) => {
      if (flags.plan) {
        const plan = await app.plan(request, { signal })
        this.show(flags.json, { event: 'plan', ...plan }, () => formatPlan(plan))
      } else {
        await this.showJob(app.submit(request, { signal }), flags.json)
      }
    })
  }
}

/** The flags of `swarm submit` that make the request. */
export interface SubmitFlags {
  readonly task: string
  readonly b?: string | undefined
  readonly exact?: boolean | undefined
  readonly effects?: string | undefined
  readonly format?: string | undefined
  readonly salvage?: boolean | undefined
  readonly vad?: boolean | undefined
  readonly threshold?: string | undefined
  readonly hysteresis?: string | undefined
  readonly 'min-silence'?: string | undefined
  readonly 'min-sound'?: string | undefined
  readonly out?: string | undefined
  readonly 'chunk-size'?: string | undefined
  readonly local: LocalPolicy
  readonly 'min-peers'?: number | undefined
  readonly wait?: string | undefined
  readonly reverse?: boolean | undefined
  readonly encrypt?: boolean | undefined
  readonly 'key-file'?: string | undefined
  readonly detach?: boolean | undefined
  readonly peer?: readonly string[] | undefined
}

/** Makes the request of file and flags. @throws SwarmError SIZE_MALFORMED, DURATION_MALFORMED */
export function buildRequest(file: string, flags: SubmitFlags): SubmitRequest {
  return {
    inputPath: resolve(file),
    task: flags.task,
    ...(flags.b === undefined ? {} : { rightPath: resolve(flags.b) }),
    ...(flags.exact ? { exact: true } : {}),
    ...audioRequest(flags),
    outRoot: resolve(OUT_ROOT),
    ...(flags.out === undefined ? {} : { outDir: resolve(flags.out) }),
    ...(flags['chunk-size'] === undefined ? {} : { chunkBytes: parseByteSize(flags['chunk-size']) }),
    ...(flags.reverse === undefined ? {} : { reverse: flags.reverse }),
    ...(flags.encrypt === undefined ? {} : { encrypt: flags.encrypt }),
    ...(flags['key-file'] === undefined ? {} : { keyFile: resolve(flags['key-file']) }),
    local: flags.local,
    // Who says how long to wait wants somebody to wait for.
    minPeers: flags['min-peers'] ?? (flags.wait === undefined ? 0 : 1),
    waitMs: flags.wait === undefined ? WAIT_DEFAULT_MS : parseDurationMs(flags.wait),
    detach: flags.detach ?? false,
    peers: flags.peer ?? []
  }
}

/** What flags say of audio; nothing when they say nothing. */
function audioRequest(flags: SubmitFlags): { readonly audio?: AudioRequest } {
  const { effects, format, salvage, threshold, hysteresis } = flags
  const given = {
    threshold,
    hysteresis,
    leastSilence: flags['min-silence'],
    leastSound: flags['min-sound']
  }
  const silence = Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  )
  const audio = {
    ...(effects !== undefined && { effects }),
    ...(format !== undefined && { format }),
    ...(salvage && { salvage }),
    ...(flags.vad && { vad: true }),
    ...(Object.keys(silence).length > 0 && { silence })
  }
  return Object.keys(audio).length === 0 ? {} : { audio: { folder: process.cwd(), ...audio } }
}
