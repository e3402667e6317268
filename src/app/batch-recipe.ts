import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { requireTaskKind } from '../tasks/registry.ts'
import { filesOf } from '../tasks/wav/chain/chain-files.ts'
import { formatChain } from '../tasks/wav/chain/format-chain.ts'
import { parseChain } from '../tasks/wav/chain/parse-chain.ts'
import { parseSilenceSettings, type SilenceSettings } from '../tasks/wav/silence/silence-settings.ts'
import type { SubmitRequest } from './api-types.ts'

/** What, beside its input, decides on a result, in one form for all that mean the same. */
export interface ResultRecipe {
  readonly task: string
  readonly encrypt: boolean
  readonly reverse: boolean
  /** Chain of effects in normal form. */
  readonly effects: string
  /** As asked for; undefined: as the input. */
  readonly format: string | undefined
  readonly silence: SilenceSettings | undefined
  /** Absolute paths of the files that effects name. */
  readonly impulses: readonly string[]
}

/** The part of a request that a {@link ResultRecipe} is made of. */
export type RecipeRequest = Pick<SubmitRequest, 'task' | 'audio' | 'encrypt' | 'reverse'>

/**
 * Makes the recipe of a request. Whether a damaged file may be salvaged is no part of it: a whole one gives the same.
 *
 * @throws SwarmError TASK_UNKNOWN, CHAIN_INVALID, SILENCE_SETTINGS, OPTION_UNSUITABLE
 */
export function makeRecipe({ audio, encrypt, reverse, task }: RecipeRequest): ResultRecipe {
  const kind = requireTaskKind(task)
  if (audio !== undefined && kind.takes !== 'segments') {
    throw unsuitable(`--effects, --format, --salvage and settings of silence are for audio, not for --task ${task}`)
  }
  if (audio?.effects !== undefined && task !== 'wav') throw unsuitable(`--effects is for --task wav, not for ${task}`)
  if (audio?.silence !== undefined && task !== 'silence') {
    throw unsuitable(`thresholds of silence are for --task silence, not for ${task}`)
  }
  const chain = parseChain(audio?.effects ?? '')
  return {
    task,
    encrypt: encrypt ?? kind.defaults.encrypt,
    reverse: reverse ?? kind.defaults.reverse,
    effects: formatChain(chain),
    format: audio?.format,
    silence: task === 'silence' ? parseSilenceSettings(audio?.silence ?? {}) : undefined,
    impulses: [...new Set(filesOf(chain).map((name) => resolve(audio?.folder ?? '', name)))]
  }
}

/** @returns how a result came about otherwise than it should, to follow "made …"; undefined when it is the one */
export function describeDifference(wanted: ResultRecipe, found: ResultRecipe): string | undefined {
  if (found.task !== wanted.task) return `by --task ${found.task}`
  if (found.effects !== wanted.effects) return found.effects === '' ? 'without effects' : `with "${found.effects}"`
  if (!isDeepStrictEqual(found.impulses, wanted.impulses)) return `with ${found.impulses.join(', ')}`
  if (!isDeepStrictEqual(found.silence, wanted.silence)) return 'with other settings of silence'
  if (found.format !== wanted.format) {
    return found.format === undefined ? 'without --format' : `with --format ${found.format}`
  }
  if (found.encrypt !== wanted.encrypt) return found.encrypt ? 'with encryption' : 'without encryption'
  return found.reverse === wanted.reverse ? undefined : `with ${found.reverse ? '--reverse' : '--no-reverse'}`
}

function unsuitable(message: string): SwarmError {
  return new SwarmError('OPTION_UNSUITABLE', message, { exitCode: EXIT_CODES.usage })
}
