import { readFileSync } from 'node:fs'
import { encodePlan, parseWavPlan, type WavPlan } from '../../src/tasks/wav/wav-plan.ts'
import type { SwarmProcess } from '../support/swarm-process.ts'
import { type Done, eventsOf, type JoinedPeer, type SwarmWorld } from '../support/swarm-world.ts'
import { writeMusic } from '../support/wav-music.ts'
import { peakOf } from './matrix-processes.ts'

/** Six effects, reverb and loudness among them; two passes. */
export const SIX_EFFECTS = 'highpass 80, eq 3000 1.2q -4, compress -18 3, bass 2, reverb 35, normalize -16LUFS'
export const NEVER: readonly string[] = ['--local', 'never']
const SAMPLE_RATE = 48_000

/** Writes so many minutes of 48 kHz stereo with 16 bits. @returns its path */
export function writeShow(world: SwarmWorld, minutes: number): Promise<string> {
  const frames = Math.round(minutes * 60 * SAMPLE_RATE)
  return writeMusic(world.path('show.wav'), { sampleRate: SAMPLE_RATE, frames, encoding: 's16' })
}

/** Starts a wav job in a home; its outputs go to the folder `out` of the world. */
export function submitEffects(
  world: SwarmWorld,
  input: string,
  { home = 'studio', effects, out, args }: EffectsJob
): SwarmProcess {
  return world.submit(home, input, ['--task', 'wav', '--effects', effects, '--out', world.path(out), ...args])
}

/** What {@link submitEffects} submits. */
export interface EffectsJob {
  readonly home?: string
  readonly effects: string
  readonly out: string
  readonly args: readonly string[]
}

/** The plan that a job was done by, out of its manifest. */
export function planOf({ outputs }: Pick<Done, 'outputs'>): WavPlan {
  const { params } = JSON.parse(readFileSync(outputs.manifest, 'utf8')) as { readonly params: WavPlan }
  return parseWavPlan(encodePlan(params))
}

/** Waits until a share of a job's bytes is placed. @returns whether it was, before the job's end */
export async function untilShare(job: SwarmProcess, share: number): Promise<boolean> {
  for (;;) {
    if (shareOf(job) >= share) return true
    if (!job.running) return false
    try {
      await job.untilNext(({ event }) => event === 'progress', 'progress')
    } catch (error) {
      if (job.running) throw error
    }
  }
}

/** How much of a job's bytes was placed at its last word: 0 to 1. */
export function shareOf({ said }: SwarmProcess): number {
  const last = eventsOf(said, 'progress').at(-1)
  return last === undefined ? 0 : Number(last.mergedBytes) / Number(last.inputBytes)
}

/** The peaks of peers, for people. */
export function peaksText(peers: readonly JoinedPeer[]): string {
  return peers.map((peer) => `${peer.name} ${(peakOf(peer) / 1e6).toFixed(0)} MB`).join(', ')
}
