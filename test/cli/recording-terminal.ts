import type { Terminal } from '../../src/cli/terminal.ts'

/** A terminal in memory, with a clock that the test moves. */
export class RecordingTerminal implements Terminal {
  readonly outLines: string[] = []
  readonly errLines: string[] = []
  raw = ''
  live = false
  columns = 100
  debug = false
  clockMs = 0
  exitCode: number | undefined
  exits: number[] = []
  readerGone: () => void = () => undefined

  out(line: string): void {
    this.outLines.push(line)
  }

  err(line: string): void {
    this.errLines.push(line)
  }

  errRaw(text: string): void {
    this.raw += text
  }

  nowMs(): number {
    return this.clockMs
  }

  wallMs(): number {
    return this.clockMs
  }

  paint(_style: string, text: string): string {
    return text
  }

  setExitCode(code: number): void {
    this.exitCode = code
  }

  exit(code: number): void {
    this.exits.push(code)
  }

  onReaderGone(listener: () => void): void {
    this.readerGone = listener
  }
}
