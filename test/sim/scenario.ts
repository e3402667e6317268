import type { LocalPolicy } from '../../src/domain/job.ts'
import { Random } from './random.ts'

/** Bytes of one block in the simulation: small, so that whole jobs move in microseconds. */
export const SIM_BLOCK_BYTES = 64

/** How a virtual worker behaves. */
type Character = 'honest' | 'slow' | 'liar' | 'hung' | 'broken'

/** One virtual worker. Times in ms. */
export interface WorkerPlan {
  readonly name: string
  readonly character: Character
  readonly blockMs: number
  readonly latencyMs: number
  readonly bytesPerMs: number
  readonly depth: number
  readonly lossShare: number
  readonly duplicateShare: number
  /** Whether it offers results whose lease it knows to be over. */
  readonly stubborn: boolean
  readonly joinsAtMs: number
}

/** Something that goes wrong at a time. */
export interface Fault {
  readonly atMs: number
  readonly kind: 'kill' | 'pause' | 'partition' | 'disconnect' | 'restart'
  /** Index of the worker; without meaning for a restart of the submitter. */
  readonly worker: number
  readonly durationMs: number
  /** Whether a killed worker comes back. */
  readonly returns: boolean
}

/** Everything that a run depends on. */
export interface Scenario {
  readonly seed: number
  readonly inputBytes: number
  readonly reverse: boolean
  readonly local: LocalPolicy
  readonly localBlockMs: number
  readonly shipShare: number
  readonly chunkBlocksMax: number
  readonly chunkFixed: boolean
  readonly windowBlocks: number
  readonly workers: readonly WorkerPlan[]
  readonly faults: readonly Fault[]
}

/** Draws a scenario. The first worker is honest, never killed for good, and so able to end any job. */
export function drawScenario(seed: number, size: { workersMax?: number; blocksMax?: number } = {}): Scenario {
  const random = new Random(seed)
  const workerCount = random.integer(1, random.chance(0.7) ? 6 : (size.workersMax ?? 24))
  const blocks = random.integer(1, size.blocksMax ?? 120)
  const workers = Array.from({ length: workerCount }, (_, index) => drawWorker(random, index))
  const rough = random.chance(0.75)
  return {
    seed,
    inputBytes: blocks * SIM_BLOCK_BYTES - 4 * random.integer(0, SIM_BLOCK_BYTES / 4 - 1),
    reverse: random.chance(0.7),
    local: random.pick<LocalPolicy>(['auto', 'auto', 'auto', 'never', 'never', 'only']),
    localBlockMs: random.between(5, 400),
    shipShare: random.pick([0.01, 0.1, 0.5, 2]),
    chunkBlocksMax: random.integer(1, 8),
    chunkFixed: random.chance(0.2),
    windowBlocks: random.integer(4, 64),
    workers,
    faults: rough ? drawFaults(random, workerCount) : []
  }
}

function drawWorker(random: Random, index: number): WorkerPlan {
  const characters: readonly Character[] = ['honest', 'honest', 'honest', 'honest', 'slow', 'liar', 'hung', 'broken']
  const character = index === 0 ? 'honest' : random.pick(characters)
  return {
    name: `peer-${index}`,
    character,
    blockMs: character === 'slow' ? random.between(500, 4_000) : random.between(5, 100),
    latencyMs: random.between(0.2, 80),
    bytesPerMs: random.between(1, 64),
    depth: random.integer(1, 4),
    lossShare: random.chance(0.3) ? random.between(0, 0.1) : 0,
    duplicateShare: random.chance(0.3) ? random.between(0, 0.1) : 0,
    stubborn: random.chance(0.5),
    joinsAtMs: random.chance(0.6) ? 0 : random.between(0, 3_000)
  }
}

function drawFaults(random: Random, workerCount: number): readonly Fault[] {
  const kinds = ['kill', 'kill', 'pause', 'pause', 'partition', 'disconnect', 'restart'] as const
  return Array.from({ length: random.integer(1, 4 + workerCount) }, () => {
    const worker = random.integer(0, workerCount - 1)
    return {
      atMs: random.between(0, random.chance(0.5) ? 1_500 : 20_000),
      kind: random.pick(kinds),
      worker,
      durationMs: random.between(50, random.chance(0.3) ? 60_000 : 14_000),
      returns: worker === 0 || random.chance(0.6)
    }
  })
}
