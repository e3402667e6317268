// `npm run campaign:soak [-- MINUTES BYTES]`: one job after the other through the same three processes. Prints each
// process's memory as it goes, so that what is never given back shows.
import { readFileSync, rmSync } from 'node:fs'
import { hashDecrypted, hashExpected } from '../support/reference-invert.ts'
import type { JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'
import { fail, runCampaign } from './run-campaign.ts'

const MINUTES = Number(process.argv[2] ?? 10)
const BYTES = process.argv[3] ?? '64MiB'
const LOCALS = ['never', 'auto', 'only'] as const

await runCampaign(campaign)

async function campaign(world: SwarmWorld): Promise<void> {
  const studio = await world.join('studio', ['--threads', '1'])
  const peers = [studio, await world.joinWith(studio, 'attic'), await world.joinWith(studio, 'laptop')]
  const input = world.path('noise.f32')
  await world.run('studio', ['generate', input, '--size', BYTES])
  const expected = await hashExpected(input)
  const endMs = performance.now() + MINUTES * 60_000
  for (let jobs = 0; performance.now() < endMs; jobs++) {
    const out = world.path('out')
    const local = LOCALS[jobs % LOCALS.length] ?? 'auto'
    const done = await world.done(world.submit('studio', input, ['--local', local, '--out', out]))
    if ((await hashDecrypted(done.outputs.result)) !== expected) fail(`the result of job ${jobs + 1} is wrong`)
    rmSync(out, { recursive: true })
    const memory = peers.map((peer) => `${peer.name} ${residentMiB(peer)} MiB`).join(', ')
    console.log(`job ${jobs + 1} (${local}): ${done.totalMs} ms, ${done.chunks} chunks; ${memory}`)
  }
}

/** Resident memory of what the launcher runs. */
function residentMiB({ process }: JoinedPeer): string {
  const pid = process.pids().at(-1)
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kilobytes) / 1_024).toFixed(0)
}
