// `npm run campaign:matrix [-- SECTION…]`: matrix jobs with real processes against what issue 3 has to show. Sections:
// sizes, exact, speed, bytes, memory, kills; all when none is named, each within some two minutes. Ends with 1 when a
// figure is missed.

import { joinOddPeer, killWhileServing } from '../support/matrix-swarm.ts'
import { hashFile } from '../support/reference-invert.ts'
import { type Done, eventsOf, type JoinedPeer, type SwarmWorld } from '../support/swarm-world.ts'
import { measureMemory, measureSpeed } from './matrix-measures.ts'
import { compareWithNumpy } from './matrix-numpy-check.ts'
import { checkFigure, generatePair, type Pair, submitPair } from './matrix-pairs.ts'
import { fail, runCampaign } from './run-campaign.ts'

const NEVER = ['--local', 'never']
const SECTIONS: Readonly<Record<string, (world: SwarmWorld) => Promise<void>>> = {
  sizes: proveSizes,
  exact: proveExact,
  speed: measureSpeed,
  bytes: proveBytes,
  memory: measureMemory,
  kills: proveKills
}

const named = process.argv.slice(2)
for (const name of named.length > 0 ? named : Object.keys(SECTIONS)) {
  const section = SECTIONS[name]
  if (section === undefined) throw new Error(`there is no section ${name}, but ${Object.keys(SECTIONS).join(', ')}`)
  console.log(`--- ${name}`)
  await runCampaign(section)
}

/** Products of all shapes over two peers, equal to NumPy's within γ(k)·|A|·|B|. */
async function proveSizes(world: SwarmWorld): Promise<void> {
  const studio = await world.join('studio')
  for (const name of ['attic', 'laptop']) await world.joinWith(studio, name)
  const shapes = [
    [512, 512, 512],
    [1000, 700, 1300],
    [2048, 2048, 2048],
    [4096, 4096, 4096],
    [1, 1_000_000, 1],
    [4096, 1, 4096]
  ] as const
  for (const [m, k, n] of shapes) {
    const pair = await generatePair(world, m, k, n)
    const done = await submitPair(world, pair, `out-${pair.name}`, [...NEVER, '--min-peers', '2'])
    const { share, numpyShare, rows, columns, dtype } = await compareWithNumpy(pair.a, pair.b, done.outputs.result)
    if (rows !== pair.m || columns !== pair.n || dtype !== 'float32') fail(`${pair.name}: the file is no ${dtype} C`)
    console.log(`${pair.name}: ${done.totalMs} ms, ${done.chunks} chunks; NumPy's own error ${numpyShare.toFixed(5)}`)
    checkFigure(`${pair.name}: largest error`, share, '≤', 1, 'of γ(k)·|A|·|B|')
  }
}

/** The same bytes whatever takes part, at 2048 squared and where nothing is a power of two. */
async function proveExact(world: SwarmWorld): Promise<void> {
  const studio = await world.join('studio')
  for (const [m, k, n] of [
    [1000, 700, 1300],
    [2048, 2048, 2048]
  ] as const) {
    const pair = await generatePair(world, m, k, n)
    const hashes = new Map<string, string>()
    const run = async (what: string, args: readonly string[]): Promise<void> => {
      const done = await submitPair(world, pair, `${pair.name}-${what}`, ['--exact', ...args])
      hashes.set(`${what} (${done.totalMs} ms, ${done.chunks} chunks)`, await hashFile(done.outputs.result))
    }
    await run('alone', ['--local', 'only'])
    const workers: JoinedPeer[] = []
    for (const count of [1, 2, 4]) {
      while (workers.length < count) workers.push(await world.joinWith(studio, `worker-${workers.length}`))
      await run(`${count}-peers`, [...NEVER, '--min-peers', `${count}`])
    }
    await run('small-chunks', [...NEVER, '--chunk-size', '4KiB'])
    await run('large-chunks', [...NEVER, '--chunk-size', '16MiB'])
    await run('all', ['--local', 'auto'])
    const victim = workers[0]
    const granted = victim?.process.untilNext(({ event }) => event === 'chunks-granted', 'grant')
    const killing = granted?.then(() => victim?.process.kill('SIGKILL'))
    await run('a-kill', [...NEVER, '--min-peers', '4'])
    await killing
    await Promise.all(workers.map(({ process }) => process.stop()))
    const different = new Set(hashes.values()).size
    for (const [what, hash] of hashes) console.log(`${pair.name} ${hash.slice(0, 16)}… ${what}`)
    checkFigure(`${pair.name}: different results of ${hashes.size}`, different, '≤', 1, '')
  }
}

/** What the submitter sends to four workers. */
async function proveBytes(world: SwarmWorld): Promise<void> {
  const studio = await world.join('studio')
  const workers: JoinedPeer[] = []
  for (let index = 0; index < 4; index++) workers.push(await world.joinWith(studio, `worker-${index}`))
  const pair = await generatePair(world, 4096, 4096, 4096)
  const done = await submitPair(world, pair, 'out', [...NEVER, '--min-peers', '4'])
  for (const { name, process } of workers) {
    const sum = (field: string) =>
      eventsOf(process.said, 'operands-here').reduce((total, said) => total + Number(said[field]), 0) / 1e6
    console.log(
      `${name}: from the submitter ${sum('submitterBytes').toFixed(1)} MB, from peers ${sum('peerBytes').toFixed(1)} MB, ` +
        `here already ${sum('cacheBytes').toFixed(1)} MB`
    )
  }
  const sentBytes = done.peers.reduce((sum, { bytesIn }) => sum + bytesIn, 0)
  checkFigure('sent by the submitter to four workers', sentBytes / operandBytesOf(pair), '≤', 1.3, '× (|A| + |B|)')
}

/** kill -9 of a worker, and of one that is serving, at 2048 squared. */
async function proveKills(world: SwarmWorld): Promise<void> {
  const studio = await world.join('studio')
  const pair = await generatePair(world, 2048, 2048, 2048)
  const check = async (what: string, done: Done): Promise<void> => {
    const { share } = await compareWithNumpy(pair.a, pair.b, done.outputs.result)
    console.log(`${what}: done in ${done.totalMs} ms, ${done.releases} leases given back`)
    checkFigure(`${what}: largest error`, share, '≤', 1, 'of γ(k)·|A|·|B|')
  }
  const attic = await world.joinWith(studio, 'attic')
  const laptop = await world.joinWith(studio, 'laptop')
  const granted = laptop.process.untilNext(({ event }) => event === 'chunks-granted', 'grant')
  const killing = granted.then(() => laptop.process.kill('SIGKILL'))
  await check('kill -9 of a worker', await submitPair(world, pair, 'killed', [...NEVER, '--min-peers', '2']))
  await killing

  const odd = await joinOddPeer(world, studio, attic, 'silent')
  const args = ['--task', 'matrix', '--b', pair.b, ...NEVER, '--min-peers', '2']
  const job = await killWhileServing(odd, (attempt) => {
    return world.submit('studio', pair.a, [...args, '--out', world.path(`served-${attempt}`)])
  })
  await check('kill -9 of a peer that serves', await world.done(job))
}

function operandBytesOf({ m, k, n }: Pair): number {
  return (m * k + k * n) * 4
}
