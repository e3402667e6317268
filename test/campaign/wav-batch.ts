import { existsSync } from 'node:fs'
import { readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Ended, LAUNCHER, SwarmProcess } from '../support/swarm-process.ts'
import { eventsOf, type SwarmWorld } from '../support/swarm-world.ts'
import { writeSpeechLike } from '../support/wav-file.ts'
import { checkFigure } from './matrix-pairs.ts'
import { fail } from './run-campaign.ts'
import type { Sizes } from './wav-sizes.ts'

const COMMAND = join(import.meta.dirname, '..', '..', 'dist', 'src', 'commands', 'batch.js')
const EFFECTS = 'highpass 80, compress -18 3, normalize -16LUFS'
/** Of a file that says that it has more. */
const BROKEN_BYTES = 30

/** Many short files with a broken one among them, and the same once more. */
export async function proveBatch(world: SwarmWorld, { files }: Sizes): Promise<void> {
  if (!existsSync(COMMAND)) {
    console.log(`skipped: there is no command batch in this build (${COMMAND})`)
    return
  }
  const folder = await world.folderFor('shows')
  for (let index = 0; index < files; index++) {
    const path = join(folder, `show-${String(index).padStart(3, '0')}.wav`)
    writeSpeechLike(path, { seconds: 1 + (index % 5), seed: index + 1 })
    if (index === Math.floor(files / 2)) await truncate(path, BROKEN_BYTES)
  }
  await writeFile(join(folder, 'notes.txt'), 'no sound')
  const studio = await world.join('studio')
  await world.joinWith(studio, 'attic')
  const first = await runBatch(world, folder)
  judge('first run', first, { done: files - 1, failed: 1, skipped: 0 })
  const results = await resultsIn(world.path('results'))
  checkFigure('results', results.size, '≥', files - 1, '')
  judgeErrors(first)
  const second = await runBatch(world, folder)
  judge('second run', second, { done: 0, failed: 1, skipped: files - 1 })
  const after = await resultsIn(world.path('results'))
  const touched = [...results].filter(([path, modifiedMs]) => after.get(path) !== modifiedMs).length
  checkFigure('results that the second run touched', touched, '≤', 0, '')
}

async function runBatch(world: SwarmWorld, folder: string): Promise<Ended> {
  const args = ['batch', folder, '--task', 'wav', '--effects', EFFECTS, '--out', world.path('results'), '--json']
  const startedMs = performance.now()
  const argv = [LAUNCHER, ...args, '--home', world.home('studio')]
  const ended = await world.add(new SwarmProcess(argv, { cwd: world.folder })).ended
  console.log(`batch ended with ${ended.exitCode} after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s`)
  return ended
}

interface Tally {
  readonly done: number
  readonly failed: number
  readonly skipped: number
}

function judge(what: string, { said, exitCode, stderr }: Ended, expected: Tally): void {
  const last = eventsOf(said, 'batch').at(-1)
  const counts = Object.keys(expected).map((name) => `${name} ${String(last?.[name])}`)
  const wanted = Object.entries(expected).map(([name, count]) => `${name} ${count}`)
  if (counts.join() === wanted.join()) console.log(`ok      ${what}: ${counts.join(', ')}`)
  else fail(`${what}: ${counts.join(', ')}, expected ${wanted.join(', ')}\n${stderr}`)
  if (exitCode !== 1) fail(`${what}: exit code ${exitCode}, expected 1, since a file failed`)
}

/** The one error has to name the file. */
function judgeErrors({ said }: Ended): void {
  const files = eventsOf(said, 'batch').at(-1)?.files
  const failed = (Array.isArray(files) ? files : []).filter(({ state }) => state === 'failed')
  for (const outcome of failed) console.log(`  the error: ${JSON.stringify(outcome)}`)
  checkFigure('errors that name the broken file', failed.filter((outcome) => namesFile(outcome)).length, '≥', 1, '')
}

function namesFile(outcome: unknown): boolean {
  const { message = '' } = outcome as { readonly message?: string }
  return /show-\d+\.wav/.test(message)
}

/** When each result was written, by its path. */
async function resultsIn(folder: string): Promise<ReadonlyMap<string, number>> {
  const names = existsSync(folder) ? await readdir(folder, { recursive: true }) : []
  const paths = names.filter((name) => name.endsWith('result.wav')).map((name) => join(folder, name))
  return new Map(await Promise.all(paths.map(async (path) => [path, (await stat(path)).mtimeMs] as const)))
}
