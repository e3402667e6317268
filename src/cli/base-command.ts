import { Command, Flags } from '@oclif/core'
import { EXIT_CODES } from '../errors.ts'
import { describeCauses, describeError } from './describe-error.ts'
import { type Interrupt, listenForInterrupt } from './interrupt.ts'
import { processTerminal, type Terminal } from './terminal.ts'

/** Reason of the abort when nobody reads the output any more. */
class ReaderGone extends Error {}

/**
 * What all commands share: `--home` and `--json`, signals as an abort, and the one place that turns an error into text
 * and an exit code.
 */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    home: Flags.directory({
      description: "This peer's folder (default: the platform's data folder)",
      env: 'SWARM_HOME',
      helpGroup: 'GLOBAL',
      helpValue: 'DIR'
    }),
    json: Flags.boolean({ description: 'Write JSON, one object per line', helpGroup: 'GLOBAL', default: false })
  }

  terminal: Terminal = processTerminal()
  #interrupt: Interrupt | undefined

  /** Aborts when the user wants to stop. */
  protected get signal(): AbortSignal {
    return this.#interrupt?.signal ?? AbortSignal.abort()
  }

  /** Whether a signal came; a reader that went away is no interrupt. */
  protected get interrupted(): boolean {
    return this.signal.aborted && !(this.signal.reason instanceof ReaderGone)
  }

  /** Whether the command goes on when nobody reads its stdout any more: a peer outlives its log. */
  protected get outlivesReader(): boolean {
    return false
  }

  /** Said on the first Ctrl-C. */
  protected get stoppingMessage(): string {
    return 'stopping; once more to quit at once'
  }

  /** Runs as oclif runs it: errors become text and an exit code. */
  async execute(): Promise<void> {
    await this._run()
  }

  override async init(): Promise<void> {
    await super.init()
    this.#interrupt = listenForInterrupt({
      process,
      nowMs: () => this.terminal.nowMs(),
      onFirst: () => this.terminal.err(this.stoppingMessage),
      onSecond: () => this.terminal.exit(EXIT_CODES.interrupted)
    })
    this.terminal.onReaderGone(() => {
      if (!this.outlivesReader) this.#interrupt?.abort(new ReaderGone('nobody reads the output any more'))
    })
    process.on('uncaughtException', this.#onUncaught)
  }

  override async catch(error: unknown): Promise<void> {
    // --help inside a command, and exits that oclif asks for, are no errors.
    if (isOclifExit(error)) throw error
    // After an abort, errors are its echo; people were told when it came.
    if (this.#interrupt?.signal.aborted !== true) this.fail(error)
    else if (this.interrupted) this.terminal.setExitCode(EXIT_CODES.interrupted)
  }

  override async finally(_error: Error | undefined): Promise<void> {
    process.off('uncaughtException', this.#onUncaught)
    this.#interrupt?.close()
  }

  /** Writes a result: as one line of JSON with `--json`, else as text. */
  protected show(json: boolean, view: unknown, text: () => string): void {
    this.terminal.out(json ? JSON.stringify(view) : text())
  }

  /** Says what went wrong and sets the exit code. */
  protected fail(error: unknown): void {
    const { code, message, exitCode } = describeError(error)
    // Before the flags are read nobody knows better than the words themselves.
    if (this.argv.includes('--json')) {
      this.terminal.out(JSON.stringify({ event: 'error', code, message }))
    } else {
      this.terminal.err(`${this.terminal.paint('red', 'error:')} ${message}`)
      if (code === 'USAGE') this.terminal.err(`see: swarm ${this.id?.replaceAll(':', ' ') ?? ''} --help`)
    }
    if (this.terminal.debug) this.terminal.err(describeCauses(error))
    this.terminal.setExitCode(exitCode)
  }

  #onUncaught = (error: Error): void => {
    this.fail(error)
    this.terminal.exit(EXIT_CODES.jobFailed)
  }
}

function isOclifExit(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIT'
}
