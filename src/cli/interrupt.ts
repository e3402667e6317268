import { EXIT_CODES, SwarmError } from '../errors.ts'

/**
 * Signals that come this soon after the first are the same key press: a terminal sends Ctrl-C to the whole group, and
 * npm and our launcher pass it on as well.
 */
export const SAME_INTERRUPT_MS = 250

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What {@link listenForInterrupt} needs of the process. */
export interface InterruptOptions {
  readonly process: Pick<NodeJS.EventEmitter, 'on' | 'off'>
  readonly nowMs: () => number
  /** Called with the first signal. */
  readonly onFirst: (signalName: string) => void
  /** Called with a second one: end at once. */
  readonly onSecond: () => void
}

/** The user's wish to stop. */
export interface Interrupt {
  /** Aborts with SwarmError INTERRUPTED on the first signal. */
  readonly signal: AbortSignal
  /** Aborts for another reason, for example a reader that went away. */
  abort(reason: Error): void
  close(): void
}

/** Turns SIGINT, SIGTERM and SIGHUP into an abort; a second one, later than {@link SAME_INTERRUPT_MS}, ends at once. */
export function listenForInterrupt(options: InterruptOptions): Interrupt {
  const controller = new AbortController()
  let firstMs: number | undefined
  const onSignal = (signalName: string): void => {
    if (firstMs === undefined) {
      firstMs = options.nowMs()
      options.onFirst(signalName)
      controller.abort(interrupted(signalName))
    } else if (options.nowMs() - firstMs > SAME_INTERRUPT_MS) {
      options.onSecond()
    }
  }
  for (const name of SIGNALS) options.process.on(name, onSignal)
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    close: () => {
      for (const name of SIGNALS) options.process.off(name, onSignal)
    }
  }
}

function interrupted(signalName: string): SwarmError {
  return new SwarmError('INTERRUPTED', `interrupted by ${signalName}`, { exitCode: EXIT_CODES.interrupted })
}
