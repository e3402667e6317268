// `npm run campaign:swarm-20 [-- WORKERS CHUNKS]`: many workers, many small chunks. Prints the spread of the work, and
// what a chunk took. The workers are processes of one thread each.
import { hashDecrypted, hashExpected } from '../support/reference-invert.ts'
import { SwarmWorld } from '../support/swarm-world.ts'

const WORKERS = Number(process.argv[2] ?? 20)
const CHUNKS = Number(process.argv[3] ?? 5_000)
const CHUNK_BYTES = 16 * 1024

const world = new SwarmWorld()
try {
  await campaign()
} finally {
  for (const fault of await world.close()) fail(fault)
}

async function campaign(): Promise<void> {
  const studio = await world.join('studio', ['--threads', '1'])
  const input = world.path('noise.f32')
  await world.run('studio', ['generate', input, '--size', String(CHUNKS * CHUNK_BYTES)])
  const expected = await hashExpected(input)
  for (let index = 0; index < WORKERS; index++) await world.joinWith(studio, `worker-${index}`)
  const args = ['--local', 'never', '--min-peers', String(WORKERS), '--chunk-size', String(CHUNK_BYTES)]
  const done = await world.done(world.submit('studio', input, [...args, '--out', world.path('out')]))
  if ((await hashDecrypted(done.outputs.result)) !== expected) fail('the result is wrong')
  const shares = done.peers.map(({ chunks }) => chunks).sort((a, b) => a - b)
  const [least = 0, most = 0] = [shares[0], shares.at(-1)]
  console.log(`${done.chunks} chunks over ${shares.length} workers in ${(done.totalMs / 1_000).toFixed(1)} s`)
  console.log(
    `${(done.totalMs / done.chunks).toFixed(2)} ms a chunk; ${done.releases} given back, ${done.duplicates} duplicates`
  )
  console.log(
    `chunks a worker: ${least} to ${most}, spread ${(most / least).toFixed(2)} (at most 2): ${shares.join(' ')}`
  )
  if (most > 2 * least) fail('the work is spread by more than a factor of two')
}

function fail(message: string): void {
  console.error(`FAILED: ${message}`)
  process.exitCode = 1
}
