import { styleText } from 'node:util'

/** Where a command writes: data to stdout, everything for people to stderr. Tests put a recording one in its place. */
export interface Terminal {
  /** Data. Adds the line break. */
  out(line: string): void
  /** Progress and errors. Adds the line break. */
  err(line: string): void
  /** Writes to stderr as it is, for redrawing. */
  errRaw(text: string): void
  /** Whether stderr is a screen that can be redrawn. */
  readonly live: boolean
  /** Width of stderr. */
  readonly columns: number
  /** Whether SWARM_DEBUG=1 asks for stack traces. */
  readonly debug: boolean
  /** Monotonic milliseconds. */
  nowMs(): number
  /** Wall time in Unix ms. */
  wallMs(): number
  /** Colours text for stderr, unless NO_COLOR is set or stderr is no terminal. */
  paint(style: PaintStyle, text: string): string
  setExitCode(code: number): void
  /** Ends the process at once. */
  exit(code: number): void
  /** Calls back once when nobody reads stdout any more. */
  onReaderGone(listener: () => void): void
}

/** What text may look like. */
export type PaintStyle = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

const COLUMNS_DEFAULT = 80

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process
  const live = stderr.isTTY === true && env.TERM !== 'dumb'
  const colours = live && (env.NO_COLOR ?? '') === ''
  return {
    out: (line) => {
      stdout.write(`${line}\n`)
    },
    err: (line) => {
      stderr.write(`${line}\n`)
    },
    errRaw: (text) => {
      stderr.write(text)
    },
    live,
    get columns() {
      return stderr.columns ?? COLUMNS_DEFAULT
    },
    debug: env.SWARM_DEBUG === '1',
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
    setExitCode: (code) => {
      process.exitCode = code
    },
    exit: (code) => process.exit(code),
    onReaderGone: (listener) => {
      stdout.once('error', listener)
      // A log that is gone must not end a peer: further errors of either stream are of no use to anybody.
      for (const stream of [stdout, stderr]) stream.on('error', ignoreBrokenPipe)
    }
  }
}

/** @throws whatever is not a broken pipe or a closed terminal */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
}
