import { SwarmWorld } from '../support/swarm-world.ts'

/** Runs a campaign in a world of its own, ends what it started, and fails for what it left behind. */
export async function runCampaign(campaign: (world: SwarmWorld) => Promise<void>): Promise<void> {
  const world = new SwarmWorld()
  try {
    await campaign(world)
  } finally {
    for (const fault of await world.close()) fail(fault)
  }
}

/** Says what went wrong; the campaign goes on, and its process ends with 1. */
export function fail(message: string): void {
  console.error(`FAILED: ${message}`)
  process.exitCode = 1
}
