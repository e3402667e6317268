import { readFileSync } from 'node:fs'
import type { SwarmWorld } from '../support/swarm-world.ts'
import { hashOf } from '../support/wav-file.ts'
import { type Gap, writeGappedSpeech } from '../support/wav-gaps.ts'
import { checkFigure } from './matrix-pairs.ts'
import { NEVER } from './wav-runs.ts'
import type { Sizes } from './wav-sizes.ts'

const MINUTES = 30
const GAP_SECONDS = 2.2
const FRAME_SECONDS = 0.01
/** The least of these has a chunk of each segment; the sizes are the others. */
const CHUNK_SIZES = ['1KiB', '64KiB', '1MiB', '64MiB']

/** Where silence begins and ends in speech with known gaps, whatever the chunks. */
export async function proveSilence(world: SwarmWorld, { minutes = MINUTES }: Sizes): Promise<void> {
  const input = world.path('speech.wav')
  const gaps = await writeGappedSpeech(input, { seconds: minutes * 60, gapSeconds: GAP_SECONDS })
  const studio = await world.join('studio')
  for (const name of ['attic', 'laptop']) await world.joinWith(studio, name)
  const hashes = new Set<string>()
  for (const size of CHUNK_SIZES) {
    const args = ['--task', 'silence', '--chunk-size', size, ...NEVER, '--min-peers', '2', '--out', world.path(size)]
    const done = await world.done(world.submit('studio', input, args))
    const { silences } = JSON.parse(readFileSync(done.outputs.result, 'utf8')) as { readonly silences: readonly Gap[] }
    console.log(`chunks of ${size}: ${done.chunks} chunks, ${done.totalMs} ms; ${gaps.length} gaps`)
    checkFigure(
      '  gaps that were not found, or found where none is',
      Math.abs(silences.length - gaps.length),
      '≤',
      0,
      ''
    )
    checkFigure('  farthest border', 1_000 * farthest(gaps, silences), '≤', 1_000 * FRAME_SECONDS, 'ms')
    hashes.add(await hashOf(done.outputs.result))
  }
  checkFigure(`different reports of ${CHUNK_SIZES.length}`, hashes.size, '≤', 1, '')
}

/** In seconds, to a microsecond: rounding is no border. */
function farthest(gaps: readonly Gap[], found: readonly Gap[]): number {
  let most = 0
  for (const [index, gap] of gaps.entries()) {
    const { start, end } = found[index] ?? { start: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY }
    most = Math.max(most, Math.abs(start - gap.start), Math.abs(end - gap.end))
  }
  return Math.round(most * 1e6) / 1e6
}
