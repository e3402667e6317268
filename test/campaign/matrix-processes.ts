import { readFileSync } from 'node:fs'
import { resetPeak } from '../bench/started-processes.ts'
import type { JoinedPeer } from '../support/swarm-world.ts'

/** Clock ticks a second of /proc: fixed at 100 for programs on Linux, whatever the kernel's own. */
const TICKS_PER_SECOND = 100

/** CPU time of a joined peer so far, all its threads, in ms. */
export function cpuMsOf({ process }: JoinedPeer): number {
  const stat = readFileSync(`/proc/${pidOf(process.pids())}/stat`, 'utf8')
  // The name, in parentheses, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND
}

/** Most memory that a joined peer had since its start or {@link forgetPeak}, in bytes. */
export function peakOf({ process }: JoinedPeer): number {
  const status = readFileSync(`/proc/${pidOf(process.pids())}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1_024
}

/** Counts a peer's peak anew. */
export function forgetPeak({ process }: JoinedPeer): void {
  resetPeak(pidOf(process.pids()))
}

/** The peer itself, behind its launcher. */
function pidOf(pids: readonly number[]): number {
  const pid = pids.at(-1)
  if (pid === undefined) throw new Error('the peer does not run')
  return pid
}
