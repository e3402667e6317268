// `npm run campaign:submitter-kills [-- KILLS BYTES]`: kill -9 of the submitter at random moments of a job, each resumed.
// Prints, for each kill, what was merged and in flight before, and what was done again after.
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { hashDecrypted, hashExpected } from '../support/reference-invert.ts'
import type { SwarmProcess, TimedSaid } from '../support/swarm-process.ts'
import { eventsOf, type SwarmWorld } from '../support/swarm-world.ts'
import { fail, runCampaign } from './run-campaign.ts'

const KILLS = Number(process.argv[2] ?? 10)
const BYTES = process.argv[3] ?? '635040000'

await runCampaign(campaign)

async function campaign(world: SwarmWorld): Promise<void> {
  const attic = await world.join('attic', ['--threads', '1'])
  await world.joinWith(attic, 'laptop')
  await world.makeMember('desk', attic.ready.code)
  const input = world.path('noise.f32')
  await world.run('desk', ['generate', input, '--size', BYTES])
  const expected = await hashExpected(input)

  const args = ['--local', 'never', '--min-peers', '2', '--out', world.path('out')]
  let job = world.submit('desk', input, args)
  const { jobId } = await job.until(({ event }) => event === 'accepted', 'acceptance')
  let kills = 0
  for (; kills < KILLS; kills++) {
    const before = await killAtRandom(job)
    if (before === undefined) break
    job = world.start('desk', ['jobs', 'resume', String(jobId), '--json'])
    const after = await job.until(({ event }) => event === 'progress', 'progress after the resume')
    const lostBytes = Number(before.mergedBytes) - Number(after.mergedBytes)
    console.log(
      `kill ${kills + 1}: ${before.mergedBytes} bytes placed and ${before.leasedChunks} chunks leased at the last word, ` +
        `${after.mergedBytes} durable after: ${(lostBytes / 2 ** 20).toFixed(1)} MiB to be done again`
    )
  }
  const done = await world.done(job)
  const found = await hashDecrypted(done.outputs.result)
  console.log(`${kills} kills; ${done.chunks} chunks, ${done.releases} given back, ${done.duplicates} duplicates`)
  if (found !== expected) fail(`the result is wrong: ${found}, expected ${expected}`)
  else console.log(`correct: ${found}`)
  const byPeers = done.peers.reduce((sum, { chunks }) => sum + chunks, 0)
  if (byPeers + done.localChunks !== done.chunks) fail(`${byPeers} + ${done.localChunks} chunks are not ${done.chunks}`)
}

/** @returns the last progress before the kill, or undefined when the job was done first */
async function killAtRandom(job: SwarmProcess): Promise<TimedSaid | undefined> {
  const from = Number((await job.until(({ event }) => event === 'progress', 'progress')).mergedBytes)
  await job.until(({ mergedBytes }) => Number(mergedBytes) > from, 'a merged chunk').catch(() => undefined)
  await Promise.race([sleep(randomInt(50, 1_000)), job.ended])
  const before = eventsOf(job.said, 'progress').at(-1)
  // It may be done and about to end: then there is nothing left to resume.
  if (!job.running || eventsOf(job.said, 'done').length > 0) return undefined
  job.kill('SIGKILL')
  await job.ended
  return before
}
