import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect } from 'vitest'
import { type Admission, type CachedBlock, OperandCache } from '../../src/worker/operand-cache.ts'

const UNIT = 64 * 1024
/** Sizes of blocks by their number: three classes. */
const SIZES = [UNIT, UNIT, 2 * UNIT, 2 * UNIT, 4 * UNIT] as const

type Step =
  | { readonly act: 'admit'; readonly job: number; readonly numbers: readonly number[] }
  | { readonly act: 'load' | 'fail' | 'giveBack' | 'abort'; readonly which: number }
  | { readonly act: 'collect' }
  | { readonly act: 'forget'; readonly job: number }

interface Lease {
  readonly turn: number
  readonly keys: readonly string[]
  readonly lost: AbortController
  admission: Admission | undefined
  isOver: boolean
}

/** Leases that come, wait, load, fail, give back and give up in any order, and what must hold after each step. */
export class OperandCacheModel {
  static readonly step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: admitStep() },
    {
      weight: 8,
      arbitrary: fc.record({
        act: fc.constantFrom('load', 'load', 'giveBack', 'giveBack', 'fail', 'abort'),
        which: fc.nat(20)
      })
    },
    { weight: 2, arbitrary: fc.constant({ act: 'collect' as const }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('forget' as const), job: fc.nat(2) }) }
  )

  readonly #bytesMax: number
  readonly #cache: OperandCache
  readonly #leases: Lease[] = []
  readonly #known = new Map<string, boolean>()
  readonly #failed = new Set<CachedBlock>()
  #uncollected: (() => void)[] = []
  #admittedTurn = -1

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
    this.#cache = new OperandCache({
      bytesMax,
      watch: (_buffer, onGone) => this.#uncollected.push(onGone),
      onChanges: ({ jobId, added, dropped }) => {
        for (const index of added) this.#tell(`${jobId} ${index}`, true)
        for (const index of dropped) this.#tell(`${jobId} ${index}`, false)
      }
    })
  }

  async run(step: Step): Promise<void> {
    if (step.act === 'admit') this.#admit(step.job, step.numbers)
    else if (step.act === 'collect') this.#collect()
    else if (step.act === 'forget') this.#forget(step.job)
    else this.#act(step.act, step.which)
    await turn()
    this.#check()
  }

  /** Nobody starves: once all that is on loan comes back, everyone who waits is served. */
  async finish(): Promise<void> {
    for (let round = 0; this.#leases.some(({ isOver }) => !isOver); round++) {
      expect(round).toBeLessThan(200)
      for (const lease of this.#leases) {
        for (const block of this.#loadingOf(lease)) this.#load(block)
        if (lease.admission !== undefined) this.#giveBack(lease)
      }
      this.#collect()
      await turn()
      this.#check()
    }
    expect(this.#cache.waitingCount).toBe(0)
  }

  #admit(job: number, numbers: readonly number[]): void {
    const blocks = [...new Set(numbers)].map((number) => {
      return { key: `k${number}`, byteLength: SIZES[number % SIZES.length] ?? UNIT, indexes: [number] }
    })
    const lost = new AbortController()
    const neededBytes = blocks.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const lease: Lease = {
      turn: this.#leases.length,
      keys: blocks.map(({ key }) => key),
      lost,
      admission: undefined,
      isOver: false
    }
    this.#leases.push(lease)
    this.#cache.admit({ jobId: `job${job}`, blocks }, { signal: lost.signal }).then(
      (admission) => {
        expect(lease.turn).toBeGreaterThan(this.#admittedTurn)
        this.#admittedTurn = lease.turn
        lease.admission = admission
        for (const block of admission.missing) stamp(block, 'loading')
      },
      (error) => {
        expect(lost.signal.aborted || neededBytes > this.#bytesMax).toBe(true)
        if (!lost.signal.aborted) expect(error).toMatchObject({ code: 'GRANT_TOO_LARGE' })
        lease.isOver = true
      }
    )
  }

  #act(act: 'load' | 'fail' | 'giveBack' | 'abort', which: number): void {
    const live = this.#leases.filter(({ isOver }) => !isOver)
    const lease = live[which % Math.max(1, live.length)]
    if (lease === undefined) return
    if (act === 'abort' && lease.admission === undefined) lease.lost.abort(new Error('revoked'))
    if (act === 'giveBack' && lease.admission !== undefined) this.#giveBack(lease)
    const [loading] = this.#loadingOf(lease)
    if (loading === undefined) return
    if (act === 'load') this.#load(loading)
    if (act === 'fail') {
      this.#failed.add(loading)
      this.#cache.abandon(loading)
      this.#cache.reclaim(loading)
    }
  }

  #load(block: CachedBlock): void {
    stamp(block, block.key)
    this.#cache.loaded(block)
  }

  #giveBack(lease: Lease): void {
    lease.isOver = true
    for (const block of lease.admission?.blocks ?? []) {
      const left = this.#cache.giveBack(block)
      if (left > 0 || block.state !== 'loading') continue
      this.#cache.abandon(block)
      this.#cache.reclaim(block)
    }
  }

  #forget(job: number): void {
    this.#cache.forgetJob(`job${job}`)
    for (const place of this.#known.keys()) if (place.startsWith(`job${job} `)) this.#known.delete(place)
  }

  #collect(): void {
    const gone = this.#uncollected
    this.#uncollected = []
    for (const onGone of gone) onGone()
  }

  #loadingOf({ admission, isOver }: Lease): readonly CachedBlock[] {
    return isOver ? [] : (admission?.blocks.filter(({ state }) => state === 'loading') ?? [])
  }

  /** What is told alternates: nothing comes twice or goes that was not there. */
  #tell(place: string, isHere: boolean): void {
    expect(this.#known.get(place) ?? false).toBe(!isHere)
    this.#known.set(place, isHere)
  }

  #check(): void {
    expect(this.#cache.bytes).toBeLessThanOrEqual(this.#bytesMax)
    const owners = new Map<SharedArrayBuffer, CachedBlock>()
    for (const { admission, isOver } of this.#leases) {
      if (isOver) continue
      for (const block of admission?.blocks ?? []) {
        if (this.#failed.has(block)) continue
        expect(block.state).not.toBe('gone')
        expect(owners.get(block.buffer) ?? block).toBe(block)
        owners.set(block.buffer, block)
        expect(this.#cache.find(block.key)).toBe(block)
        if (block.state === 'here') expect(stampOf(block)).toBe(digest(block.key))
      }
    }
  }
}

function admitStep(): fc.Arbitrary<Step> {
  const numbers = fc.array(fc.nat(14), { minLength: 1, maxLength: 5 })
  return fc.record({ act: fc.constant('admit' as const), job: fc.nat(2), numbers })
}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve))
}

function stamp({ buffer }: CachedBlock, text: string): void {
  new Int32Array(buffer, 0, 1)[0] = digest(text)
}

function stampOf({ buffer }: CachedBlock): number | undefined {
  return new Int32Array(buffer, 0, 1)[0]
}

function digest(text: string): number {
  return createHash('sha256').update(text).digest().readInt32LE()
}
