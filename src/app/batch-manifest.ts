import { readFile, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { FileStamp } from '../domain/job.ts'
import { MANIFEST_NAME } from '../submitter/finish-job.ts'
import type { RecipeRequest } from './batch-recipe.ts'

/** Longer ones are no manifest of ours. */
const MANIFEST_BYTES_MAX = 16 * 1024 * 1024

/** What a job's manifest says of how its result came about. */
export interface ResultRecord {
  readonly input: FileStamp
  /** Files that effects name, as they were. */
  readonly impulses: readonly FileStamp[]
  readonly request: RecipeRequest
  /** Name of the result in the manifest's folder. */
  readonly resultName: string
}

/** @returns undefined where no manifest is, or none that tells which file its result is of */
export async function readResultRecord(folder: string): Promise<ResultRecord | undefined> {
  const path = join(folder, MANIFEST_NAME)
  try {
    if ((await stat(path)).size > MANIFEST_BYTES_MAX) return undefined
    return parseRecord(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (error instanceof SyntaxError || code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

function parseRecord(value: unknown): ResultRecord | undefined {
  const { encrypted, input, outputs, request, reversed, task } = fieldsOf(value)
  const { impulses, ...stamp } = fieldsOf(input)
  const found = parseStamp(stamp)
  const { result } = fieldsOf(outputs)
  if (found === undefined || typeof task !== 'string' || typeof result !== 'string') return undefined
  const audio = request === undefined ? undefined : parseAudio(request)
  return {
    input: found,
    impulses: Array.isArray(impulses) ? impulses.flatMap((impulse) => parseStamp(fieldsOf(impulse)) ?? []) : [],
    request: { task, encrypt: encrypted === true, reverse: reversed === true, ...(audio !== undefined && { audio }) },
    resultName: basename(result)
  }
}

function parseStamp({ byteLength, bytes, modifiedMs, path }: Readonly<Record<string, unknown>>): FileStamp | undefined {
  const length = byteLength ?? bytes
  if (typeof path !== 'string' || typeof length !== 'number' || typeof modifiedMs !== 'number') return undefined
  return { path, byteLength: length, modifiedMs }
}

function parseAudio(value: unknown): NonNullable<RecipeRequest['audio']> {
  const { effects, folder, format, silence } = fieldsOf(value)
  const settings = Object.entries(fieldsOf(silence)).flatMap(([name, text]) =>
    typeof text === 'string' ? [[name, text] as const] : []
  )
  return {
    folder: typeof folder === 'string' ? folder : '',
    ...(typeof effects === 'string' && { effects }),
    ...(typeof format === 'string' && { format }),
    ...(settings.length > 0 && { silence: Object.fromEntries(settings) })
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
