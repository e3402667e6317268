// `npm run campaign:worker-kills [-- KILLS BYTES]`: kill -9 of workers during one job, each followed by a new start.
// Prints the time from each kill to the next grant of a lost chunk.
import { hashDecrypted, hashExpected } from '../support/reference-invert.ts'
import type { JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'
import { fail, runCampaign } from './run-campaign.ts'

const KILLS = Number(process.argv[2] ?? 10)
const BYTES = process.argv[3] ?? '32MiB'

await runCampaign(campaign)

async function campaign(world: SwarmWorld): Promise<void> {
  const studio = await world.join('studio', ['--threads', '1'])
  const input = world.path('noise.f32')
  await world.run('studio', ['generate', input, '--size', BYTES])
  const expected = await hashExpected(input)
  const workers: JoinedPeer[] = []
  for (const name of ['attic', 'laptop', 'cellar']) workers.push(await world.joinWith(studio, name))

  const times: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    const out = world.path(`out-${kill}`)
    const job = world.submit('studio', input, ['--local', 'never', '--chunk-size', '32KiB', '--out', out])
    await job.until(({ mergedBytes, leasedChunks }) => Number(mergedBytes) > 0 && Number(leasedChunks) > 0, 'progress')
    const victim = workers.shift()
    if (victim === undefined) throw new Error('no worker is left')
    const killedMs = victim.process.kill('SIGKILL')
    const regranted = await job
      .until(({ event }) => event === 'regranted', 'grant of a lost chunk')
      .catch(() => undefined)
    if (regranted !== undefined) times.push(regranted.atMs - killedMs)
    const done = await world.done(job)
    const isRight = (await hashDecrypted(done.outputs.result)) === expected
    if (!isRight) fail(`the result after kill ${kill + 1} is wrong`)
    const after =
      regranted === undefined ? 'it held no lease' : `${(regranted.atMs - killedMs).toFixed(0)} ms to the re-grant`
    console.log(
      `kill ${kill + 1} of ${victim.name}: ${after}, ${done.releases} given back, ${isRight ? 'correct' : 'WRONG'}`
    )
    workers.push(await world.joinWith(studio, victim.name))
  }
  times.sort((a, b) => a - b)
  console.log(`re-grants: median ${times[times.length >> 1]?.toFixed(0)} ms, longest ${times.at(-1)?.toFixed(0)} ms`)
}
