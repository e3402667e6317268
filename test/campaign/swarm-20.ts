// `npm run campaign:swarm-20 [-- WORKERS CHUNKS]`: many workers, many small chunks. Prints the spread of the work, and
// what a chunk took. The workers are processes of one thread each.
import { hashDecrypted, hashExpected } from '../support/reference-invert.ts'
import { eventsOf, type JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'

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
  const workers: JoinedPeer[] = []
  for (let index = 0; index < WORKERS; index++) workers.push(await world.joinWith(studio, `worker-${index}`))
  const args = ['--local', 'never', '--min-peers', String(WORKERS), '--chunk-size', String(CHUNK_BYTES)]
  const done = await world.done(world.submit('studio', input, [...args, '--out', world.path('out')]))
  if ((await hashDecrypted(done.outputs.result)) !== expected) fail('the result is wrong')
  tellGrantTimes(workers)
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

/** From a claim to its grant, as the workers measured it. */
function tellGrantTimes(workers: readonly JoinedPeer[]): void {
  const times = workers.flatMap(({ process }) =>
    eventsOf(process.said, 'chunks-granted').map((said) => Number(said.afterMs))
  )
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0
  console.log(
    `claim to grant, ${times.length} claims: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms (at most 100), most ${at(1)} ms`
  )
  if (at(0.99) > 100) fail('p99 from claim to grant is above 100 ms')
}

function fail(message: string): void {
  console.error(`FAILED: ${message}`)
  process.exitCode = 1
}
