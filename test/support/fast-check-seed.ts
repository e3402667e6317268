import { configureGlobal } from 'fast-check'

// Set and printed by vitest.config.ts, so that a failing run can be repeated whole.
const seed = Number(process.env.SWARM_SEED)
if (Number.isSafeInteger(seed)) configureGlobal({ seed })
