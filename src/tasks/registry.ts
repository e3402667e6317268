import { EXIT_CODES, SwarmError } from '../errors.ts'
import { invert } from './invert/invert.ts'
import { matrix } from './matrix/matrix.ts'
import type { TaskKind } from './task-kind.ts'
import { silence, voice, wav } from './wav/audio-kinds.ts'

/** Every kind of work that this program can do. Closed: nothing from the wire adds to it or chooses code. */
export const TASK_KINDS: readonly TaskKind[] = [invert, matrix, wav, silence, voice]

const byKind = new Map(TASK_KINDS.map((task) => [task.kind, task]))

/** Takes an untrusted name. @returns undefined when there is no such kind. */
export function findTaskKind(kind: string): TaskKind | undefined {
  return byKind.get(kind)
}

/** Like {@link findTaskKind}. @throws SwarmError TASK_UNKNOWN, naming the kinds there are */
export function requireTaskKind(kind: string): TaskKind {
  const found = findTaskKind(kind)
  if (found !== undefined) return found
  const known = [...byKind.keys()].join(', ')
  throw new SwarmError('TASK_UNKNOWN', `there is no task ${JSON.stringify(kind)}; there is ${known}`, {
    exitCode: EXIT_CODES.usage
  })
}
