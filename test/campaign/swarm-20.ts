// `npm run campaign:swarm-20 [-- WORKERS CHUNKS PROCESSES]`: many workers, many small chunks. Prints the spread of the
// work, what a chunk took, and how long claims waited. Each worker has one kernel thread; several share a process.
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { PEER_FLAGS } from '../bench/v8-flags.ts'
import { hashDecrypted, hashExpected } from '../support/reference-invert.ts'
import { SwarmProcess } from '../support/swarm-process.ts'
import { eventsOf, type SwarmWorld } from '../support/swarm-world.ts'
import { fail, runCampaign } from './run-campaign.ts'

const WORKERS = Number(process.argv[2] ?? 20)
const CHUNKS = Number(process.argv[3] ?? 5_000)
const PROCESSES = Number(process.argv[4] ?? 4)
/** Time for the members to find each other before the job. */
const SETTLE_MS = 30_000
const CHUNK_BYTES = 16 * 1024

await runCampaign(campaign)

async function campaign(world: SwarmWorld): Promise<void> {
  const studio = await world.join('studio', ['--threads', '1'])
  const input = world.path('noise.f32')
  await world.run('studio', ['generate', input, '--size', String(CHUNKS * CHUNK_BYTES)])
  const expected = await hashExpected(input)
  const hosts = Array.from({ length: PROCESSES }, (_, index) => {
    const peers = Math.ceil((WORKERS - index) / PROCESSES)
    const script = join(import.meta.dirname, 'peers-in-one-process.ts')
    const argv = [...PEER_FLAGS, script, world.folder, `host-${index}`, String(peers)]
    return world.add(new SwarmProcess(argv, { cwd: world.folder, input: studio.ready.code }))
  })
  await Promise.all(hosts.map((host) => host.until(({ event }) => event === 'all-ready', 'workers')))
  // Members connect to each other and exchange what they know: a swarm is joined long before a job comes.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  console.log(`${WORKERS} workers in ${PROCESSES} processes are ready`)
  const args = ['--local', 'never', '--min-peers', String(WORKERS), '--chunk-size', String(CHUNK_BYTES)]
  const done = await world.done(world.submit('studio', input, [...args, '--out', world.path('out')]))
  if ((await hashDecrypted(done.outputs.result)) !== expected) fail('the result is wrong')
  tellGrantTimes(hosts)
  const { claims, p50Ms, p99Ms, mostMs } = done.grants
  console.log(
    `claim to grant in the submitter, ${claims} claims: p50 ${p50Ms} ms, p99 ${p99Ms} ms (at most 100), most ${mostMs} ms`
  )
  if (p99Ms > 100) fail('p99 from claim to grant is above 100 ms')
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
function tellGrantTimes(hosts: readonly SwarmProcess[]): void {
  const times = hosts.flatMap(({ said }) => eventsOf(said, 'chunks-granted').map((each) => Number(each.afterMs)))
  times.sort((a, b) => a - b)
  const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0
  console.log(
    `as the workers saw it, who share ${availableParallelism()} cores: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`
  )
}
