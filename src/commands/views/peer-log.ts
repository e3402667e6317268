import type { PeerEvent } from '../../app/api-types.ts'
import { LineBudget } from '../../cli/line-budget.ts'
import { printable } from '../../cli/printable.ts'
import { formatCounted, shortPeerId } from '../../cli/quantities.ts'
import type { Terminal } from '../../cli/terminal.ts'

type Ready = Extract<PeerEvent, { event: 'ready' }>

/** Shortest time between two lines on the same job. */
export const JOB_LINE_INTERVAL_MS = 2_000
/** Most jobs that are counted at once; the oldest is forgotten. */
const JOBS_MAX = 256

interface JobTally {
  done: number
  receipted: number
  refused: number
  lineAtMs: number
}

/** Shows what a joined peer does: stdout gets what others need to join (or all, as JSON), stderr one line per event. */
export class PeerLog {
  readonly #terminal: Terminal
  readonly #json: boolean
  readonly #budget: LineBudget
  readonly #jobs = new Map<string, JobTally>()

  constructor(terminal: Terminal, json: boolean) {
    this.#terminal = terminal
    this.#json = json
    this.#budget = new LineBudget(
      () => terminal.nowMs(),
      (line) => terminal.err(`${new Date(terminal.wallMs()).toISOString()} ${line}`)
    )
  }

  show(event: PeerEvent): void {
    if (this.#json) this.#terminal.out(JSON.stringify(event))
    else if (event.event === 'ready') this.#terminal.out(formatReady(event))
    else for (const line of this.#lines(event)) this.#budget.print(line)
  }

  #lines(event: Exclude<PeerEvent, Ready>): readonly string[] {
    switch (event.event) {
      case 'addresses':
        return [`addresses: ${event.addresses.join(' ')}`]
      case 'peer-connected':
        return [`peer ${named(event.peerId, event.name)} is here`]
      case 'peer-left':
        return [`peer ${named(event.peerId, event.name)} left`]
      case 'job-joined':
        return [
          `job ${event.jobId}: working on ${printable(event.task)} for ${named(event.submitter, event.submitterName)}`
        ]
      case 'job-left':
        this.#jobs.delete(event.jobId)
        return [
          `job ${event.jobId}: over, ${formatCounted(event.chunks, 'chunk')} receipted (${printable(event.reason)})`
        ]
      case 'chunks-granted':
      case 'operands-here':
        return []
      case 'operand-refused':
        return [`job ${event.jobId}: ${shortPeerId(event.peerId)} gave false bytes: ${printable(event.reason)}`]
      case 'chunk-done':
      case 'chunk-receipted':
        return this.#count(event.jobId, event.event === 'chunk-done' ? 'done' : 'receipted')
      case 'chunk-refused':
        this.#count(event.jobId, 'refused')
        return [`job ${event.jobId}: chunk ${event.chunkIndex} refused (code ${event.code})`]
      case 'chunk-dropped':
        return [`job ${event.jobId}: chunk ${event.chunkIndex} dropped: ${printable(event.reason)}`]
      case 'submitter-lost':
        return [`lost ${shortPeerId(event.submitter)}: ${printable(event.reason)}`]
      case 'job-state':
        return [`job ${event.jobId}: ${event.state}${event.message === '' ? '' : `, ${printable(event.message)}`}`]
      case 'notice':
        return [printable(event.message)]
    }
  }

  /** Chunks come by the hundred: they are counted, and said now and then. */
  #count(jobId: string, what: 'done' | 'receipted' | 'refused'): readonly string[] {
    const tally = this.#jobs.get(jobId) ?? { done: 0, receipted: 0, refused: 0, lineAtMs: this.#terminal.nowMs() }
    this.#jobs.delete(jobId)
    this.#jobs.set(jobId, tally)
    const oldest = this.#jobs.keys().next().value
    if (this.#jobs.size > JOBS_MAX && oldest !== undefined) this.#jobs.delete(oldest)
    tally[what]++
    if (this.#terminal.nowMs() - tally.lineAtMs < JOB_LINE_INTERVAL_MS) return []
    tally.lineAtMs = this.#terminal.nowMs()
    return [`job ${jobId}: ${tally.done} chunks done, ${tally.receipted} receipted, ${tally.refused} refused`]
  }
}

/** What another machine needs, for people. */
export function formatReady(ready: Ready): string {
  return [
    `${ready.founded ? 'founded' : 'in'} swarm "${printable(ready.swarmName)}" (${ready.swarmId})`,
    `peer ${printable(ready.name)} ${ready.peerId}, ${formatCounted(ready.threads, 'thread')}, home ${ready.home}`,
    'addresses',
    ...ready.addresses.map((address) => `  ${address}`),
    'join code (whoever has it is a member: give it only to machines you trust)',
    `  ${ready.code}`,
    'on another machine: swarm join CODE'
  ].join('\n')
}

function named(peerId: string, name: string | undefined): string {
  return name === undefined ? shortPeerId(peerId) : `${printable(name)} ${shortPeerId(peerId)}`
}
