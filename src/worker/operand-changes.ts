import { OPERAND_CHANGES_MAX } from '../../protocols/lease/constants.ts'
import type { OperandChanges } from '../../protocols/lease/types.ts'

/** Runs `tell` soon: how long changes are gathered. */
export type TellLater = (tell: () => void) => void

/**
 * Gathers which blocks came and went for a while, so that a lease's blocks are told in one message and what came and went
 * meanwhile is not told at all.
 */
export class OperandChangeLog {
  readonly #onChanges: (changes: OperandChanges) => void
  readonly #tellLater: TellLater
  /** Per job: whether an operand index was there when it was last told, and whether it is now. */
  readonly #turned = new Map<string, Map<number, { readonly wasHere: boolean; isHere: boolean }>>()
  #isPlanned = false

  /**
   * @param onChanges gets at most {@link OPERAND_CHANGES_MAX} indexes in one call; must not throw
   * @param tellLater one turn of the event loop unless given
   */
  constructor(onChanges: (changes: OperandChanges) => void, tellLater: TellLater = queueMicrotask) {
    this.#onChanges = onChanges
    this.#tellLater = tellLater
  }

  /** A block is here from now on, or no longer. */
  note(jobId: string, index: number, isHere: boolean): void {
    const ofJob = this.#turned.get(jobId) ?? new Map<number, { readonly wasHere: boolean; isHere: boolean }>()
    if (ofJob.size === 0) this.#turned.set(jobId, ofJob)
    const turned = ofJob.get(index)
    if (turned === undefined) ofJob.set(index, { wasHere: !isHere, isHere })
    else turned.isHere = isHere
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#tellLater(() => this.#tell())
  }

  /** Nobody wants to know about this job any more. */
  forgetJob(jobId: string): void {
    this.#turned.delete(jobId)
  }

  #tell(): void {
    this.#isPlanned = false
    const all = [...this.#turned]
    this.#turned.clear()
    for (const [jobId, ofJob] of all) {
      const changed = [...ofJob].filter(([, { wasHere, isHere }]) => wasHere !== isHere)
      for (let start = 0; start < changed.length; start += OPERAND_CHANGES_MAX) {
        const part = changed.slice(start, start + OPERAND_CHANGES_MAX)
        const added = part.filter(([, { isHere }]) => isHere).map(([index]) => index)
        const dropped = part.filter(([, { isHere }]) => !isHere).map(([index]) => index)
        this.#onChanges({ jobId, added, dropped })
      }
    }
  }
}
