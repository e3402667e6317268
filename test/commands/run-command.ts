import { join } from 'node:path'
import { Config } from '@oclif/core'
import type { AppSource } from '../../src/commands/base/app-source.ts'
import type { SwarmCommand } from '../../src/commands/base/swarm-command.ts'
import { FakeApp } from '../api/fake-app.ts'
import { RecordingTerminal } from '../cli/recording-terminal.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** What a command did. */
export interface CommandRun {
  readonly terminal: RecordingTerminal
  readonly app: FakeApp
  /** What the app source was asked: method and first argument. */
  readonly asked: [string, unknown][]
  /** Settles when the command has ended. */
  readonly ended: Promise<void>
}

/** Starts a command on a fake app, with a recording terminal. */
export async function startCommand(
  Command: new (argv: string[], config: Config) => SwarmCommand,
  argv: readonly string[],
  options: { app?: FakeApp; source?: Partial<AppSource> } = {}
): Promise<CommandRun> {
  const config = await Config.load(ROOT)
  const command = new Command([...argv], config)
  const terminal = new RecordingTerminal()
  const app = options.app ?? new FakeApp()
  const asked: [string, unknown][] = []
  const give =
    (method: string) =>
    async (request: unknown): Promise<FakeApp> => {
      asked.push([method, request])
      return app
    }
  const refuse =
    (method: string) =>
    async (request: unknown): Promise<never> => {
      asked.push([method, request])
      throw new Error(`${method} was not expected`)
    }
  command.terminal = terminal
  command.app = {
    openApp: give('openApp'),
    connectOrOpen: give('connectOrOpen'),
    connectOrRead: give('connectOrRead'),
    connect: give('connect'),
    verifyLedger: refuse('verifyLedger'),
    decrypt: refuse('decrypt'),
    generate: refuse('generate'),
    ...options.source
  }
  return { terminal, app, asked, ended: command.execute() }
}

/** Runs a command to its end. */
export async function runCommand(...args: Parameters<typeof startCommand>): Promise<CommandRun> {
  const run = await startCommand(...args)
  await run.ended
  return run
}
