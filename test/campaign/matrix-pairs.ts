import type { Done, SwarmWorld } from '../support/swarm-world.ts'
import { fail } from './run-campaign.ts'

/** Two operands in files: A is [m × k], B [k × n]. */
export interface Pair {
  readonly name: string
  readonly m: number
  readonly k: number
  readonly n: number
  readonly a: string
  readonly b: string
}

/** Makes two matrices of noise with `swarm generate`. */
export async function generatePair(world: SwarmWorld, m: number, k: number, n: number): Promise<Pair> {
  const name = `${m}x${k}x${n}`
  const [a, b] = [world.path(`a-${name}.npy`), world.path(`b-${name}.npy`)]
  for (const [seed, path, shape] of [
    ['1', a, `${m}x${k}`],
    ['2', b, `${k}x${n}`]
  ] as const) {
    const { exitCode, stderr } = await world.run('desk', ['generate', path, '--matrix', shape, '--seed', seed])
    if (exitCode !== 0) throw new Error(`swarm generate ended with ${exitCode}: ${stderr}`)
  }
  return { name, m, k, n, a, b }
}

/** Runs one product through the joined peer `studio`. */
export function submitPair(world: SwarmWorld, { a, b }: Pair, out: string, args: readonly string[]): Promise<Done> {
  return world.done(world.submit('studio', a, ['--task', 'matrix', '--b', b, '--out', world.path(out), ...args]))
}

/** Prints a figure beside what it has to be, and fails when it is not. */
export function checkFigure(what: string, figure: number, bound: '≤' | '≥', target: number, unit: string): void {
  const holds = bound === '≤' ? figure <= target : figure >= target
  const text = `${what}: ${Number(figure.toPrecision(4))} ${unit} (${bound} ${target})`
  if (holds) console.log(`ok      ${text}`)
  else fail(text)
}
