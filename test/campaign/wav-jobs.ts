// `npm run campaign:wav [-- SECTION… --minutes N --bytes N --files N --rounds N]`: wav jobs with real processes against what
// issue 4 has to show. Sections: same, unbroken, speed, long, silence, batch; all when none is named, at the sizes
// unless others are given. Ends with 1 when a figure is missed.
import type { SwarmWorld } from '../support/swarm-world.ts'
import { runCampaign } from './run-campaign.ts'
import { proveBatch } from './wav-batch.ts'
import { proveLong } from './wav-long.ts'
import { proveSame } from './wav-same.ts'
import { proveSilence } from './wav-silence.ts'
import { parseSizes, type Sizes } from './wav-sizes.ts'
import { measureSpeed } from './wav-speed.ts'
import { proveUnbroken } from './wav-unbroken.ts'

const SECTIONS: Readonly<Record<string, (world: SwarmWorld, sizes: Sizes) => Promise<void>>> = {
  same: proveSame,
  unbroken: proveUnbroken,
  speed: measureSpeed,
  long: proveLong,
  silence: proveSilence,
  batch: proveBatch
}

const { sections, sizes } = parseSizes(process.argv.slice(2))
for (const name of sections.length > 0 ? sections : Object.keys(SECTIONS)) {
  const section = SECTIONS[name]
  if (section === undefined) throw new Error(`there is no section ${name}, but ${Object.keys(SECTIONS).join(', ')}`)
  console.log(`--- ${name}`)
  await runCampaign((world) => section(world, sizes))
}
