import { execFileSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Most bytes that a tool may print. */
const OUTPUT_BYTES_MAX = 1 << 30
/** What hangs is stopped. */
const TOOL_TIME_MS = 30_000

/** Paths of programs that results are compared with; undefined where one is not installed. */
export const SOX = findProgram('sox')
export const FFMPEG = findProgram('ffmpeg')

/**
 * Runs a program to its end.
 * @returns what it printed to stdout
 * @throws Error with what it printed to stderr, when it fails
 */
export function runTool(tool: string, args: readonly string[]): Buffer {
  try {
    return execFileSync(tool, args, { maxBuffer: OUTPUT_BYTES_MAX, timeout: TOOL_TIME_MS, stdio: 'pipe' })
  } catch (error) {
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    throw new Error(`${tool} ${args.join(' ')} failed: ${stderr || String(error)}`, { cause: error })
  }
}

function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => isExecutable(path))
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Not there, or not for us: the next folder.
    return false
  }
}
