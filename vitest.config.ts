import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// One seed for all property tests and the order of files; SWARM_SEED=<seed> repeats a run.
const seed = Number(process.env.SWARM_SEED ?? randomInt(2 ** 31))
if (process.env.SWARM_SEED === undefined) console.error(`SWARM_SEED=${seed}`)
process.env.SWARM_SEED = String(seed)

// Tests start hundreds of threads from source: types are stripped, and code compiled, once for all of them.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules', '.cache', 'tests')

/** What is timed to fractions of a second: one file at a time. */
const TIMED = ['worker-loss', 'submitter-loss', 'membership', 'ledger'].map((name) => `test/e2e/${name}.test.ts`)

/** Whole peers, in this process or in their own: they wait for each other by the clock, and mostly do nothing meanwhile. */
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
      {
        extends: true,
        test: { name: 'peers', include: PEERS, exclude: TIMED, maxWorkers: 2, sequence: { groupOrder: 1 } }
      },
      { extends: true, test: { name: 'timed', include: TIMED, maxWorkers: 1, sequence: { groupOrder: 2 } } }
    ]
  }
})
