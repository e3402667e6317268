import { randomInt } from 'node:crypto'
import { defineConfig } from 'vitest/config'

// One seed for all property tests and the order of files; SWARM_SEED=<seed> repeats a run.
const seed = Number(process.env.SWARM_SEED ?? randomInt(2 ** 31))
if (process.env.SWARM_SEED === undefined) console.error(`SWARM_SEED=${seed}`)
process.env.SWARM_SEED = String(seed)

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/fast-check-seed.ts'],
    pool: 'forks',
    // The default leaves a core idle, which on two is half of them.
    maxWorkers: 2,
    sequence: { seed },
    testTimeout: 15_000,
    hookTimeout: 15_000,
    teardownTimeout: 5_000,
    // oclif writes to the real streams; intercepting them loses output.
    disableConsoleIntercept: true
  }
})
