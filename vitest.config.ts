import { randomInt } from 'node:crypto'
import { defineConfig } from 'vitest/config'

// One seed for all property tests and the order of files; SWARM_SEED=<seed> repeats a run.
const seed = Number(process.env.SWARM_SEED ?? randomInt(2 ** 31))
if (process.env.SWARM_SEED === undefined) console.error(`SWARM_SEED=${seed}`)
process.env.SWARM_SEED = String(seed)

/** Whole peers, in this process or in their own: one file at a time, since they wait for each other by the clock. */
const PEERS = [
  'test/e2e/**/*.test.ts',
  'test/app/**/*.test.ts',
  'test/network/**/*.test.ts',
  'test/protocols/**/*.test.ts'
]

export default defineConfig({
  test: {
    environment: 'node',
    setupFiles: ['test/support/fast-check-seed.ts'],
    pool: 'forks',
    sequence: { seed },
    // Long enough for a busy machine: a limit is for what hangs.
    testTimeout: 45_000,
    hookTimeout: 45_000,
    teardownTimeout: 5_000,
    // oclif writes to the real streams; intercepting them loses output.
    disableConsoleIntercept: true,
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: PEERS,
          maxWorkers: 2,
          sequence: { groupOrder: 0 }
        }
      },
      { extends: true, test: { name: 'peers', include: PEERS, maxWorkers: 1, sequence: { groupOrder: 1 } } }
    ]
  }
})
