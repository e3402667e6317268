// `npm run campaign:matrix-uplinks [-- ROWSxINNERxCOLUMNS MBIT]`: a product on a submitter and four workers, each in a network
// namespace of its own that sends at 100 Mbit/s. Prints how long it takes until every worker has all its operands: first
// with workers that reach each other, then with workers that the bridge keeps apart, so that only the submitter is left to
// ask. The first has to be at least twice as fast. Needs Linux and root; says so and does nothing otherwise.
import { eventsOf, type JoinedPeer, type Ready, SwarmWorld } from '../support/swarm-world.ts'
import { checkFigure, generatePair, type Pair } from './matrix-pairs.ts'
import { type Place, UplinkNetwork } from './matrix-uplink-network.ts'
import { fail } from './run-campaign.ts'

const WORKERS = 4
const [m = 2048, k = 4096, n = 2048] = (process.argv[2] ?? '2048x4096x2048').split('x').map(Number)
const MEGABITS = Number(process.argv[3] ?? 100)
/** Time for the workers to find each other, in ms; kept apart, they have as long. */
const SETTLE_MS = 4_000

const network = tryNetwork()
// A signal ends the processes' world first, then the namespaces.
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
try {
  if (network !== undefined) await campaign(network)
} finally {
  network?.close()
}

function tryNetwork(): UplinkNetwork | undefined {
  try {
    return new UplinkNetwork(WORKERS + 1, MEGABITS)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    console.log(`skipped: network namespaces with limited uplinks cannot be made here (root on Linux can): ${reason}`)
    return undefined
  }
}

async function campaign(limited: UplinkNetwork): Promise<void> {
  const together = await measure(limited, 'workers that reach each other')
  limited.separate(limited.places.map((_, index) => index).slice(1))
  const apart = await measure(limited, 'workers kept apart')
  checkFigure('operands at four workers, from each other by from the submitter alone', apart / together, '≥', 2, '×')
}

/** @returns ms from the job's start until the last lease of any worker had its operands */
async function measure({ places }: UplinkNetwork, what: string): Promise<number> {
  const world = new SwarmWorld()
  const end = (): void => void world.close()
  interrupted.signal.addEventListener('abort', end)
  try {
    const pair = await generatePair(world, m, k, n)
    const [first, ...rest] = places
    if (first === undefined) throw new Error('there is no place')
    const studio = await joinAt(world, 'studio', first)
    const workers: JoinedPeer[] = []
    for (const [index, place] of rest.entries()) {
      workers.push(await joinAt(world, `worker-${index}`, place, studio.ready.code))
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    return await run(world, pair, workers, what)
  } finally {
    interrupted.signal.removeEventListener('abort', end)
    for (const fault of await world.close()) fail(fault)
  }
}

async function run(world: SwarmWorld, pair: Pair, workers: readonly JoinedPeer[], what: string): Promise<number> {
  const args = ['--local', 'never', '--min-peers', `${WORKERS}`, '--out', world.path('out')]
  const job = world.start('studio', ['submit', pair.a, '--task', 'matrix', '--b', pair.b, '--json', ...args])
  const { atMs } = await job.until(({ event }) => event === 'accepted', 'start of the job')
  const done = await world.done(job)
  const here = workers.map(({ process }) => eventsOf(process.said, 'operands-here'))
  const tookMs = Math.max(...here.flat().map((said) => said.atMs)) - atMs
  const operandBytes = (pair.m * pair.k + pair.k * pair.n) * 4
  console.log(
    `${what}: ${(tookMs / 1_000).toFixed(2)} s until all operands were here, job ${(done.totalMs / 1_000).toFixed(2)} s`
  )
  for (const [index, events] of here.entries()) {
    const mb = (field: string) => (events.reduce((sum, said) => sum + Number(said[field]), 0) / 1e6).toFixed(1)
    console.log(
      `  worker-${index}: ${events.length} chunks, MB from the submitter ${mb('submitterBytes')}, from peers ${mb('peerBytes')}`
    )
  }
  const sentBytes = done.peers.reduce((sum, { bytesIn }) => sum + bytesIn, 0)
  const leastMs = (sentBytes * 8) / (MEGABITS * 1_000)
  console.log(
    `  the submitter sent ${(sentBytes / operandBytes).toFixed(2)} × (|A| + |B|), which its uplink takes ${(leastMs / 1_000).toFixed(2)} s for`
  )
  return tookMs
}

/** As {@link SwarmWorld.join}, in a namespace. */
async function joinAt(
  world: SwarmWorld,
  name: string,
  { address, through }: Place,
  code?: string
): Promise<JoinedPeer> {
  const listen = ['--no-mdns', '--listen', `/ip4/${address}/tcp/0`, '--threads', '1', '--name', name, '--json']
  const args = ['join', ...(code === undefined ? [] : ['-']), ...listen]
  const process = world.start(name, args, { through, ...(code !== undefined && { input: code }) })
  const ready = (await process.until(({ event }) => event === 'ready', 'ready line')) as unknown as Ready
  if (code !== undefined) await process.until(({ event }) => event === 'peer-connected', 'connection to a member')
  return { name, home: world.home(name), process, ready }
}
