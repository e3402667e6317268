import { join } from 'node:path'
import type { Shape } from '../tasks/matrix/exact-reference.ts'
import { noise } from '../tasks/matrix/exact-reference.ts'
import { writeMatrix } from './matrix-product.ts'
import { type Ended, SwarmProcess } from './swarm-process.ts'
import type { JoinedPeer, Ready, SwarmWorld } from './swarm-world.ts'

const ODD_PEER = join(import.meta.dirname, '..', 'campaign', 'matrix-odd-peer.ts')

/** Jobs that are tried until one peer asks another for a block. */
const ASKED_ATTEMPTS = 8

/** Two operands in files and in memory. */
export interface Operands {
  readonly shape: Shape
  readonly a: Float32Array
  readonly b: Float32Array
  readonly files: { readonly a: string; readonly b: string }
}

/** Writes noise into files of a world, named after the shape. */
export async function writeOperands(world: SwarmWorld, shape: Shape, seed = 1): Promise<Operands> {
  const { m, k, n } = shape
  const [a, b] = [noise(m * k, seed), noise(k * n, seed + 1)]
  const path = (letter: string) => world.path(`${letter}-${m}x${k}x${n}-${seed}.npy`)
  const files = {
    a: await writeMatrix(path('a'), a, { rows: m, cols: k }),
    b: await writeMatrix(path('b'), b, { rows: k, cols: n })
  }
  return { shape, a, b, files }
}

/** Starts `submit --task matrix --json` in a home. */
export function submitProduct(
  world: SwarmWorld,
  home: string,
  { files }: Pick<Operands, 'files'>,
  out: string,
  args: readonly string[] = []
): SwarmProcess {
  return world.submit(home, files.a, ['--task', 'matrix', '--b', files.b, '--out', world.path(out), ...args])
}

/** Runs `submit --task matrix` where it is to be refused. */
export function refusedProduct(world: SwarmWorld, home: string, a: string, args: readonly string[]): Promise<Ended> {
  return world.run(home, ['submit', a, '--task', 'matrix', '--no-mdns', '--out', world.path('refused'), ...args])
}

/**
 * Joins a member that computes well but serves operand blocks badly: `false` gives other bytes, `silent` none for ever.
 * Waits until both others are connected to it, since strangers are not asked for blocks. It says `asked` each time somebody asks it for some.
 */
export async function joinOddPeer(
  world: SwarmWorld,
  submitter: JoinedPeer,
  worker: JoinedPeer,
  how: 'false' | 'silent'
): Promise<JoinedPeer> {
  const name = `${how}-peer`
  const seen = [submitter, worker].map((other) => {
    return other.process.untilNext((said) => said.event === 'peer-connected' && said.name === name, name)
  })
  const argv = [ODD_PEER, world.folder, name, how]
  const process = world.add(new SwarmProcess(argv, { cwd: world.folder, input: submitter.ready.code }))
  const ready = (await process.until(({ event }) => event === 'ready', 'ready line')) as unknown as Ready
  await Promise.all(seen)
  return { name, home: world.home(name), process, ready }
}

/**
 * Submits until an odd peer is asked for a block, and gives the job that it was asked in. Who fetches what from whom depends on who
 * claims first, so that a job may be over without.
 * @throws Error when it was asked in none of {@link ASKED_ATTEMPTS} jobs
 */
export async function submitUntilAsked(
  odd: JoinedPeer,
  submit: (attempt: number) => SwarmProcess
): Promise<SwarmProcess> {
  for (let attempt = 0; attempt < ASKED_ATTEMPTS; attempt++) {
    const job = submit(attempt)
    const asked = odd.process.until(({ event }) => event === 'asked', 'question for an operand').then(() => true)
    asked.catch(() => undefined)
    if (await Promise.race([asked, job.ended.then(() => false)])) return job
  }
  throw new Error(`nobody asked ${odd.name} for an operand in ${ASKED_ATTEMPTS} jobs`)
}

/** Kills an odd peer with SIGKILL as soon as it is asked for a block. @throws as {@link submitUntilAsked} */
export async function killWhileServing(
  odd: JoinedPeer,
  submit: (attempt: number) => SwarmProcess
): Promise<SwarmProcess> {
  const job = await submitUntilAsked(odd, submit)
  odd.process.kill('SIGKILL')
  return job
}
