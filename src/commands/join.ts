import { Args } from '@oclif/core'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { readJoinCode } from './base/read-join-code.ts'
import { openOptions, peerFlags, SwarmCommand, settleWithin } from './base/swarm-command.ts'
import { PeerLog } from './views/peer-log.ts'

/** Time for giving leases back after Ctrl-C; the process ends within a second. */
export const LEAVE_TIMEOUT_MS = 800

/** `swarm join` */
export class Join extends SwarmCommand {
  static override summary = 'Take part in a swarm: work on the jobs of its members until stopped.'
  static override description =
    'On the first machine it founds a swarm and prints its join code. On every other machine give that code once; after ' +
    'that plain "swarm join" is enough. The code can also come from SWARM_CODE or, as "-", from stdin, which keeps it ' +
    'out of the list of processes.'
  static override examples = [
    {
      description: 'Found a swarm, or join the one of this home again',
      command: '<%= config.bin %> <%= command.id %>'
    },
    { description: 'Join with a code', command: '<%= config.bin %> <%= command.id %> swarm1…' },
    {
      description: 'Keep the code out of the shell history',
      command: 'cat code.txt | <%= config.bin %> <%= command.id %> -'
    },
    {
      description: 'A second peer on the same machine',
      command: '<%= config.bin %> <%= command.id %> swarm1… --home /tmp/second --name second --threads 1'
    }
  ]
  static override args = {
    code: Args.string({ description: 'Join code, or - for stdin', ignoreStdin: true })
  }
  static override flags = { ...peerFlags }

  protected override get outlivesReader(): boolean {
    return true
  }

  protected override get stoppingMessage(): string {
    return 'giving work back; once more to quit at once'
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Join)
    const code = await readJoinCode(args.code, process.env.SWARM_CODE, process.stdin, { signal: this.signal })
    const log = new PeerLog(this.terminal, flags.json)
    const app = await this.app.openApp(openOptions(flags, 'joined', code), { signal: this.signal })
    try {
      for await (const event of app.events({ signal: this.signal })) log.show(event)
    } finally {
      await settleWithin(app.stop(), LEAVE_TIMEOUT_MS)
    }
    if (!this.interrupted)
      throw new SwarmError('PEER_STOPPED', 'the peer stopped by itself', { exitCode: EXIT_CODES.tryAgain })
    this.terminal.setExitCode(EXIT_CODES.interrupted)
  }
}
