import { rm } from 'node:fs/promises'
import { WavPasses } from '../../src/tasks/wav/wav-passes.ts'
import type { SwarmProcess } from '../support/swarm-process.ts'
import { type Done, eventsOf, type JoinedPeer, type SwarmWorld } from '../support/swarm-world.ts'
import { hashOf } from '../support/wav-file.ts'
import { checkFigure } from './matrix-pairs.ts'
import { forgetPeak } from './matrix-processes.ts'
import { NEVER, peaksText, planOf, SIX_EFFECTS, shareOf, submitEffects, untilShare, writeShow } from './wav-runs.ts'
import type { Sizes } from './wav-sizes.ts'

const MINUTES = 60
/** A short job may be over before it is killed. */
const ATTEMPTS = 8

/** The same bytes whatever takes part, and whoever is killed. */
export async function proveSame(world: SwarmWorld, { minutes = MINUTES }: Sizes): Promise<void> {
  const input = await writeShow(world, minutes)
  const studio = await world.join('studio')
  await world.makeMember('desk', studio.ready.code)
  const campaign = new SameBytes(world, input, studio)
  const alone = await campaign.run('alone', ['--local', 'only'])
  const { grid } = new WavPasses(planOf(alone))
  const firstPass = grid.passOffset(1) / grid.byteLength
  const segments = [0, 1].map((pass) => grid.segmentCount(pass)).join(' and ')
  console.log(
    `${minutes} minutes in ${segments} segments; the first pass has ${(100 * firstPass).toFixed(0)} % of all bytes`
  )

  await campaign.workers(1)
  await campaign.run('1-peer', [...NEVER, '--min-peers', '1'])
  await campaign.workers(2)
  await campaign.run('2-peers', [...NEVER, '--min-peers', '2'])
  await campaign.run('chunks-of-1-MB', [...NEVER, '--min-peers', '2', '--chunk-size', '1MB'])
  await campaign.run('chunks-of-64-MB', [...NEVER, '--min-peers', '2', '--chunk-size', '64MB'])
  await campaign.workers(4)
  await campaign.run('4-peers', [...NEVER, '--min-peers', '4'])
  await campaign.run('auto', ['--local', 'auto', '--min-peers', '4'])
  await campaign.killWorker('worker-killed-in-first-pass', firstPass / 3)
  await campaign.killWorker('worker-killed-in-second-pass', firstPass + (1 - firstPass) / 4)
  await campaign.killSubmitter('submitter-killed-in-first-pass', firstPass / 3, [0, firstPass])
  await campaign.killSubmitter('submitter-killed-in-second-pass', firstPass + (1 - firstPass) / 4, [firstPass, 1])
  await campaign.end()
}

/** Owns the workers of a campaign and the hashes of its results. */
class SameBytes {
  readonly #world: SwarmWorld
  readonly #input: string
  readonly #studio: JoinedPeer
  readonly #hashes = new Set<string>()
  #workers: JoinedPeer[] = []
  #joined = 0
  #results = 0

  constructor(world: SwarmWorld, input: string, studio: JoinedPeer) {
    this.#world = world
    this.#input = input
    this.#studio = studio
  }

  /** Joins workers until there are so many. */
  async workers(count: number): Promise<void> {
    while (this.#workers.length < count) {
      this.#workers.push(await this.#world.joinWith(this.#studio, `worker-${this.#joined++}`))
    }
  }

  /** A job to its end. */
  async run(what: string, args: readonly string[]): Promise<Done> {
    for (const peer of [this.#studio, ...this.#workers]) forgetPeak(peer)
    const done = await this.#world.done(this.#submit(what, args))
    await this.#take(what, done, [this.#studio, ...this.#workers])
    return done
  }

  /** A job in which a worker is killed as soon as it is granted chunks behind a share of the job's bytes. */
  async killWorker(what: string, share: number): Promise<void> {
    await this.workers(3)
    const victim = this.#workers.pop()
    if (victim === undefined) throw new Error('there is no worker')
    for (const peer of [this.#studio, ...this.#workers]) forgetPeak(peer)
    const args = [...NEVER, '--min-peers', '3', '--chunk-size', '1MB']
    const job = await this.#inMidJob(
      (out) => this.#submit(out, args),
      what,
      async (running) => {
        if (!(await untilShare(running, share))) return false
        const granted = victim.process.untilNext(({ event }) => event === 'chunks-granted', 'grant').then(() => true)
        granted.catch(() => undefined)
        return Promise.race([granted, running.ended.then(() => false)])
      }
    )
    victim.process.kill('SIGKILL')
    const killedAt = shareOf(job)
    const done = await this.#world.done(job)
    await this.#take(what, done, [this.#studio, ...this.#workers])
    const lost = eventsOf(job.said, 'released').filter(({ peerId }) => peerId === victim.ready.peerId)
    const reasons = lost.map(({ reason }) => String(reason)).join(', ')
    console.log(
      `  ${victim.name} was killed at ${percent(killedAt)}; its leases that were given back: ${reasons || 'none'}`
    )
  }

  /** A job of a peer of its own that is killed at a share of its bytes, and resumed. */
  async killSubmitter(what: string, share: number, pass: readonly [number, number]): Promise<void> {
    await this.workers(2)
    for (const worker of this.#workers) forgetPeak(worker)
    const args = [...NEVER, '--min-peers', '2', '--chunk-size', '1MB']
    const job = await this.#inMidJob(
      (out) => this.#submit(out, args, 'desk'),
      what,
      async (running) => {
        const isThere = await untilShare(running, share)
        running.kill('SIGKILL')
        await running.ended
        return isThere && shareOf(running) < pass[1]
      }
    )
    const { jobId } = await job.until(({ event }) => event === 'accepted', 'acceptance')
    const resumed = this.#world.start('desk', ['jobs', 'resume', String(jobId), '--json'])
    const done = await this.#world.done(resumed)
    const first = eventsOf(resumed.said, 'progress')[0]
    const durable = Number(first?.mergedBytes) / Number(first?.inputBytes)
    await this.#take(what, done, this.#workers)
    console.log(`  killed when ${percent(shareOf(job))} was placed; ${percent(durable)} was kept`)
  }

  /** Stops the workers, and says whether all results were one. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.map(({ process }) => process.stop()))
    checkFigure(`different results of ${this.#results}`, this.#hashes.size, '≤', 1, '')
  }

  #submit(out: string, args: readonly string[], home = 'studio'): SwarmProcess {
    return submitEffects(this.#world, this.#input, { home, effects: SIX_EFFECTS, out, args })
  }

  /** Submits until a job could be met at a moment of it. */
  async #inMidJob(
    submit: (out: string) => SwarmProcess,
    what: string,
    meet: (job: SwarmProcess) => Promise<boolean>
  ): Promise<SwarmProcess> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const job = submit(`${what}-${attempt}`)
      if (await meet(job)) return job
      await job.ended
    }
    throw new Error(`${what}: the job was over too soon, ${ATTEMPTS} times; give it more --minutes`)
  }

  async #take(what: string, done: Done, peers: readonly JoinedPeer[]): Promise<void> {
    const { totalMs, chunks, localChunks, releases, outputs } = done
    const hash = await hashOf(outputs.result)
    this.#hashes.add(hash)
    this.#results += 1
    console.log(
      `${hash.slice(0, 16)}… ${what}: ${(totalMs / 1_000).toFixed(1)} s, ${chunks} chunks, ${localChunks} here, ` +
        `${releases} given back; peaks: ${peaksText(peers)}`
    )
    await rm(outputs.result)
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`
}
