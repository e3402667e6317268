import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PeerName, peerName } from '../../src/domain/ids.ts'
import type { LocalPolicy } from '../../src/domain/job.ts'
import type { JournalChunk } from '../../src/domain/journal.ts'
import { LIVE_LEASES_MAX } from '../../src/domain/lease-limits.ts'
import { LeaseNumberSource } from '../../src/domain/lease-numbers.ts'
import { LeaseTable } from '../../src/domain/lease-table.ts'
import type { LeaseGrant } from '../../src/domain/lease-types.ts'
import { BLOCK_BYTES } from './lease-table-fixture.ts'

const PEERS = ['ada', 'bob', 'cyd', 'dan', 'eve'].map(peerName)

interface Setup {
  readonly blocks: number
  readonly windowBlocks: number
  readonly leasedBlocks: number
  readonly local: LocalPolicy
  readonly reverse: boolean
}

const setups: fc.Arbitrary<Setup> = fc.record({
  blocks: fc.integer({ min: 1, max: 30 }),
  windowBlocks: fc.integer({ min: 1, max: 12 }),
  leasedBlocks: fc.integer({ min: 1, max: 12 }),
  local: fc.constantFrom<LocalPolicy>('auto', 'auto', 'never', 'only'),
  reverse: fc.boolean()
})

const STEPS = [
  ...['claim', 'claim', 'claim', 'local', 'local', 'renew', 'touch', 'disconnect', 'release', 'expire'],
  ...['offer', 'offer', 'received', 'pass', 'pass', 'refuse', 'prove', 'consume', 'merge', 'wait', 'adopt', 'restart']
] as const

interface Step {
  readonly step: (typeof STEPS)[number]
  readonly peer: PeerName
  /** Picks a lease, a chunk or a size. */
  readonly pick: number
}

const steps = fc.array(
  fc.record({ step: fc.constantFrom(...STEPS), peer: fc.constantFrom(...PEERS), pick: fc.nat(1_000) }),
  { maxLength: 120, size: 'max' }
)

/** Drives a table at random and keeps its own books. */
class Model {
  readonly setup: Setup
  readonly numbers = new LeaseNumberSource()
  table: LeaseTable
  nowMs = 0
  readonly grants: { grant: LeaseGrant; peer: PeerName | undefined }[] = []
  readonly epochs = new Map<number, number>()
  readonly placed = new Set<number>()
  readonly merged = new Set<number>()
  readonly consumed = new Set<number>()
  readonly barred = new Set<PeerName>()

  constructor(setup: Setup) {
    this.setup = setup
    this.table = this.makeTable([])
  }

  makeTable(restored: readonly JournalChunk[]): LeaseTable {
    const { blocks, windowBlocks, leasedBlocks, local, reverse } = this.setup
    return new LeaseTable({
      grid: { inputBytes: blocks * BLOCK_BYTES - 1, blockBytes: BLOCK_BYTES, reverse },
      local,
      windowBytes: () => windowBlocks * BLOCK_BYTES,
      leasedBytesMax: () => leasedBlocks * BLOCK_BYTES,
      numbers: this.numbers,
      nowMs: this.nowMs,
      restored
    })
  }

  run({ step, peer, pick }: Step): void {
    const held = this.grants[pick % Math.max(1, this.grants.length)]
    const leaseNumber = held?.grant.leaseNumber ?? pick
    const holder = held?.peer ?? peer
    const { table, nowMs } = this
    if (step === 'claim') this.claim(peer, pick)
    else if (step === 'local') this.claimLocal(pick)
    else if (step === 'renew') table.renew(holder, [{ leaseNumber, progress: pick }], nowMs)
    else if (step === 'touch') table.touch(holder, leaseNumber, nowMs)
    else if (step === 'disconnect') table.disconnect(peer, nowMs)
    else if (step === 'release') table.release(holder, [leaseNumber], pick % 2 ? 'shutdown' : 'kernel-failed', nowMs)
    else if (step === 'expire') table.expire(nowMs)
    else if (step === 'offer') table.offer(holder, leaseNumber, nowMs)
    else if (step === 'received') table.received(leaseNumber)
    else if (step === 'pass') this.pass(leaseNumber)
    else if (step === 'refuse') table.refused(leaseNumber, { proof: false, nowMs })
    else if (step === 'prove') this.prove(leaseNumber, held?.peer)
    else if (step === 'consume') this.consume(pick)
    else if (step === 'merge') this.merge([...this.placed].slice(0, pick % 4))
    else if (step === 'wait') this.nowMs += pick * 7
    else if (step === 'adopt') this.adopt(peer, pick)
    else if (step === 'restart' && pick % 10 === 0) this.restart()
  }

  claim(peer: PeerName, pick: number): void {
    const request = { peer, count: 1 + (pick % 4), nowMs: this.nowMs, chunkBytes: 1 + (pick % 400), memoryBytes: 600 }
    const { grants, refusal } = this.table.claim(request)
    expect(grants.length > 0).toBe(refusal === undefined)
    if (grants.length > 0) expect(this.barred.has(peer) || this.setup.local === 'only').toBe(false)
    for (const grant of grants) this.note(grant, peer)
  }

  claimLocal(pick: number): void {
    const { grants } = this.table.claimLocal({ count: 1 + (pick % 2), nowMs: this.nowMs, chunkBytes: 1 + (pick % 400) })
    if (grants.length > 0) expect(this.setup.local).not.toBe('never')
    for (const grant of grants) this.note(grant, undefined)
  }

  note(grant: LeaseGrant, peer: PeerName | undefined, windows = 1): void {
    const { chunkIndex, outputOffset, outputBytes } = grant.chunk
    expect(this.placed.has(chunkIndex)).toBe(false)
    expect(grant.epoch).toBeGreaterThan(this.epochs.get(chunkIndex) ?? 0)
    this.epochs.set(chunkIndex, grant.epoch)
    const frontier = this.frontierBytes()
    const windowEnd = frontier + windows * this.setup.windowBlocks * BLOCK_BYTES
    expect(outputOffset === frontier || outputOffset + outputBytes <= windowEnd).toBe(true)
    this.grants.push({ grant, peer })
  }

  frontierBytes(): number {
    for (let chunkIndex = 0; ; chunkIndex++) {
      const view = this.table.view(chunkIndex)
      if (view === undefined) {
        const last = this.table.view(chunkIndex - 1)?.chunk
        return last === undefined ? 0 : last.outputOffset + last.outputBytes
      }
      if (!this.consumed.has(chunkIndex)) return view.chunk.outputOffset
    }
  }

  pass(leaseNumber: number): void {
    const passed = this.table.passed(leaseNumber, this.nowMs)
    if (passed.outcome !== 'placed') return
    expect(this.placed.has(passed.chunk.chunkIndex)).toBe(false)
    if (passed.peer !== undefined) expect(this.barred.has(passed.peer)).toBe(false)
    this.placed.add(passed.chunk.chunkIndex)
  }

  prove(leaseNumber: number, holder: PeerName | undefined): void {
    const known = this.table.offer(holder ?? peerName('nobody'), leaseNumber, this.nowMs).outcome === 'verify'
    this.table.refused(leaseNumber, { proof: true, nowMs: this.nowMs })
    if (known && holder !== undefined) this.barred.add(holder)
    if (known && holder !== undefined) {
      expect(
        this.table.claim({ peer: holder, count: 1, nowMs: this.nowMs + 1e9, chunkBytes: 1, memoryBytes: 1e9 }).refusal
      ).toBe(this.setup.local === 'only' ? 'localOnly' : 'barred')
    }
  }

  consume(pick: number): void {
    const chunkIndex = [...this.placed][pick % Math.max(1, this.placed.size)]
    if (chunkIndex === undefined) return
    this.table.consumed(chunkIndex)
    this.consumed.add(chunkIndex)
  }

  merge(chunkIndexes: readonly number[]): void {
    this.table.merged(chunkIndexes)
    for (const chunkIndex of chunkIndexes) this.merged.add(chunkIndex).size && this.consumed.add(chunkIndex)
  }

  adopt(peer: PeerName, pick: number): void {
    const chunkIndex = pick % 30
    const adopted = this.table.adopt({ peer, chunkIndex, epoch: this.epochs.get(chunkIndex) ?? 1, nowMs: this.nowMs })
    if (adopted !== undefined) this.note(adopted, peer, 2)
  }

  /** What is not durable is lost, as are all leases; epochs are journalled. */
  restart(): void {
    const journal: JournalChunk[] = []
    for (let chunkIndex = 0; ; chunkIndex++) {
      const view = this.table.view(chunkIndex)
      if (view === undefined) break
      const merged = { chunkIndex, computeMs: 0, transferMs: 0 }
      const { chunk, epoch, attempts } = view
      journal.push({ ...chunk, epoch, attempts, ...(this.merged.has(chunkIndex) && { merged }) })
    }
    for (const set of [this.placed, this.consumed]) {
      set.clear()
      for (const chunkIndex of this.merged) set.add(chunkIndex)
    }
    this.barred.clear()
    this.grants.length = 0
    this.table = this.makeTable(journal)
  }

  check(): void {
    const { table } = this
    const { counters } = table
    const states = { pending: 0, leased: 0, placed: 0, merged: 0 }
    let liveLeases = 0
    let leasedBytes = 0
    let cutBytes = 0
    for (let chunkIndex = 0; chunkIndex < counters.chunks; chunkIndex++) {
      const view = table.view(chunkIndex)
      if (view === undefined) throw new Error('a cut chunk is lost')
      expect(view.leases.length).toBeLessThanOrEqual(LIVE_LEASES_MAX)
      expect(new Set(view.leases.map(({ peer }) => peer)).size).toBe(view.leases.length)
      expect(view.leases.length > 0).toBe(view.state === 'leased' || view.state === 'verifying')
      expect(view.epoch).toBe(this.epochs.get(chunkIndex) ?? 0)
      expect(view.state === 'merged').toBe(this.merged.has(chunkIndex))
      expect(view.state === 'placed' || view.state === 'merged').toBe(this.placed.has(chunkIndex))
      expect(view.chunk.outputOffset).toBe(cutBytes)
      for (const { peer } of view.leases) expect(peer !== undefined && this.barred.has(peer)).toBe(false)
      if (view.state === 'verifying') states.leased++
      else if (view.state in states) states[view.state as keyof typeof states]++
      liveLeases += view.leases.length
      leasedBytes += view.leases.length * view.chunk.inputBytes
      cutBytes += view.chunk.inputBytes
    }
    expect(counters).toMatchObject({ liveLeases, leasedBytes })
    expect(counters).toMatchObject({ pendingChunks: states.pending, leasedChunks: states.leased })
    expect(counters).toMatchObject({ placedChunks: states.placed, mergedChunks: states.merged })
  }

  /** With one honest newcomer (or the submitter's own worker) that never fails, every job ends. */
  finish(): void {
    const helper = peerName('zoe')
    for (let turn = 0; turn < 10_000 && !this.table.done; turn++) {
      this.nowMs += 40_000
      this.table.expire(this.nowMs)
      if (this.setup.local !== 'never') this.claimLocal(399)
      if (this.setup.local !== 'only') this.claim(helper, 399)
      for (const { grant, peer } of this.grants) {
        if (peer === undefined || peer === helper || turn > 5) this.pass(grant.leaseNumber)
      }
      this.merge([...this.placed])
      this.check()
    }
    expect(this.table.done).toBe(true)
    expect(this.table.counters.mergedBytes).toBe(this.setup.blocks * BLOCK_BYTES - 1)
  }
}

test('keeps its promises whatever happens in whatever order', () => {
  fc.assert(
    fc.property(setups, steps, (setup, commands) => {
      const model = new Model(setup)
      for (const command of commands) {
        model.run(command)
        model.check()
      }
      model.finish()
    }),
    { numRuns: 100 }
  )
})

test('never loses a lease to a deadline queue: all silent leases expire at their time', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(3_000)), { maxLength: 40 }), (beats) => {
      const model = new Model({ blocks: 10, windowBlocks: 99, leasedBlocks: 99, local: 'never', reverse: false })
      const [ada] = PEERS
      if (ada === undefined) throw new Error('expected a peer')
      const { grants } = model.table.claim({ peer: ada, count: 10, nowMs: 0, chunkBytes: 1, memoryBytes: 1e9 })
      const deadlines = new Map(grants.map(({ leaseNumber, ttlMs }) => [leaseNumber as number, ttlMs]))
      let nowMs = 0
      for (const [index, delayMs] of beats) {
        nowMs += delayMs
        const due = [...deadlines].filter(([, deadlineMs]) => deadlineMs <= nowMs).map(([leaseNumber]) => leaseNumber)
        const released = model.table.expire(nowMs).map(({ leaseNumber }) => leaseNumber as number)
        expect(released.sort()).toEqual(due.sort())
        for (const leaseNumber of due) deadlines.delete(leaseNumber)
        const leaseNumber = grants[index]?.leaseNumber ?? 0
        model.table.renew(ada, [{ leaseNumber, progress: nowMs }], nowMs)
        if (deadlines.has(leaseNumber)) deadlines.set(leaseNumber, nowMs + 10_000)
        const next = model.table.nextDeadlineMs()
        if (deadlines.size === 0) expect(next).toBeUndefined()
        else expect(next).toBeLessThanOrEqual(Math.min(...deadlines.values()))
      }
    })
  )
})
