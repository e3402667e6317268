import { OPERAND_CHANGES_MAX } from '../../protocols/lease/constants.ts'
import type { OperandChanges } from '../../protocols/lease/types.ts'

/** Joins what was noted one after the other into as few messages as their limit allows; what came and went is left out. */
export function joinChanges(noted: readonly OperandChanges[]): readonly OperandChanges[] {
  const byJob = new Map<string, Map<number, boolean>>()
  for (const { jobId, added, dropped } of noted) {
    const ofJob = byJob.get(jobId) ?? new Map<number, boolean>()
    byJob.set(jobId, ofJob)
    for (const index of added) ofJob.set(index, true)
    for (const index of dropped) ofJob.set(index, false)
  }
  return [...byJob].flatMap(([jobId, ofJob]) => {
    const changes = [...ofJob]
    const parts: OperandChanges[] = []
    for (let start = 0; start < changes.length; start += OPERAND_CHANGES_MAX) {
      const part = changes.slice(start, start + OPERAND_CHANGES_MAX)
      const pick = (isHere: boolean) => part.flatMap(([index, here]) => (here === isHere ? index : []))
      parts.push({ jobId, added: pick(true), dropped: pick(false) })
    }
    return parts
  })
}
