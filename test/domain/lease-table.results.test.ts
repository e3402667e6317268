import { describe, expect, test } from 'vitest'
import { BACKOFF_MS, BACKUP_AGE_MS_MIN, LEASE_TTL_FIRST_MS, LEASE_TTL_MS } from '../../src/domain/lease-limits.ts'
import { ada, bob, claimOf, grantTo, makeTable, only } from './lease-table-fixture.ts'

describe('leased → verifying → placed → merged', () => {
  test('checks an offered result, places it once, and is done when all is merged', () => {
    const table = makeTable(1)
    const { leaseNumber, chunk } = grantTo(table, ada)
    expect(table.offer(ada, leaseNumber, 100)).toEqual({ outcome: 'verify', chunk, epoch: 1, late: false })
    table.received(leaseNumber)
    expect(table.view(0)?.state).toBe('verifying')
    expect(table.nextDeadlineMs()).toBeUndefined()
    expect(table.passed(leaseNumber, 120)).toEqual({
      outcome: 'placed',
      chunk,
      epoch: 1,
      peer: ada,
      leaseMs: 120,
      revoked: []
    })
    expect(table.view(0)?.state).toBe('placed')
    expect(table.done).toBe(false)
    table.merged([0])
    expect(table.done).toBe(true)
    expect(table.counters).toMatchObject({ placedBytes: 100, mergedBytes: 100, mergedChunks: 1, placedChunks: 0 })
  })

  test('keeps a received result when its holder is lost', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    table.received(leaseNumber)
    expect(table.disconnect(ada, 1)).toEqual([])
    expect(table.expire(1e6)).toEqual([])
    expect(table.passed(leaseNumber, 2).outcome).toBe('placed')
  })

  test('keeps a received result when its holder gives all back', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    table.received(leaseNumber)
    expect(table.release(ada, [leaseNumber], 'shutdown', 1)).toEqual([])
    expect(table.passed(leaseNumber, 2).outcome).toBe('placed')
  })

  test('waits for no deadline once all is placed', () => {
    const table = makeTable(1)
    table.passed(grantTo(table, ada).leaseNumber, 1)
    expect(table.nextDeadlineMs()).toBeUndefined()
  })

  test('counts no duplicate when the winner offers its result again', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    table.passed(leaseNumber, 1)
    expect(table.offer(ada, leaseNumber, 2)).toEqual({ outcome: 'duplicate', chunkIndex: 0 })
    expect(table.counters.duplicates).toBe(0)
  })

  test('never grants an epoch again after a late result of an older one failed', () => {
    const table = makeTable(1)
    const old = grantTo(table, ada)
    table.disconnect(ada, 1)
    table.release(bob, [grantTo(table, bob, { nowMs: 1 }).leaseNumber], 'shutdown', 2)
    expect(table.offer(ada, old.leaseNumber, 3)).toMatchObject({ outcome: 'verify', epoch: 1 })
    table.disconnect(ada, 4)
    expect(grantTo(table, bob, { nowMs: 5 }).epoch).toBe(3)
  })

  test('keeps the time to live while a result is still being pulled', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    table.offer(ada, leaseNumber, 100)
    expect(table.expire(100 + LEASE_TTL_MS)).toHaveLength(1)
  })

  test('checks a late result, whose chunk nobody else took, under its old lease', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    table.expire(LEASE_TTL_FIRST_MS)
    expect(table.offer(ada, leaseNumber, 6_000)).toMatchObject({ outcome: 'verify', epoch: 1, late: false })
    expect(table.claim(claimOf(bob, { nowMs: 6_000 })).grants).toEqual([])
    expect(table.passed(leaseNumber, 6_001)).toMatchObject({ outcome: 'placed', epoch: 1 })
  })

  test('lets a late result win over the present holder, who gets neither credit nor blame', () => {
    const table = makeTable(2)
    const old = grantTo(table, ada)
    table.expire(LEASE_TTL_FIRST_MS)
    const present = grantTo(table, bob, { nowMs: 5_000 })
    expect(table.offer(ada, old.leaseNumber, 6_000)).toMatchObject({ outcome: 'verify', epoch: 1, late: true })
    table.received(old.leaseNumber)
    expect(table.passed(old.leaseNumber, 6_001)).toMatchObject({
      outcome: 'placed',
      peer: ada,
      revoked: [{ leaseNumber: present.leaseNumber, chunkIndex: 0, peer: bob }]
    })
    expect(table.offer(bob, present.leaseNumber, 6_002)).toEqual({ outcome: 'duplicate', chunkIndex: 0 })
    expect(table.offer(bob, present.leaseNumber, 6_003)).toEqual({ outcome: 'duplicate', chunkIndex: 0 })
    expect(table.counters.duplicates).toBe(1)
    expect(table.claim(claimOf(bob, { nowMs: 6_003 })).grants).toHaveLength(1)
  })

  test('places the first of two verified copies only', () => {
    const table = makeTable(1)
    const slow = grantTo(table, ada, { estimateMs: () => 9_000 })
    const fast = grantTo(table, bob, { estimateMs: () => 10, nowMs: BACKUP_AGE_MS_MIN })
    expect(table.offer(ada, slow.leaseNumber, 50).outcome).toBe('verify')
    expect(table.offer(bob, fast.leaseNumber, 50).outcome).toBe('verify')
    expect(table.passed(fast.leaseNumber, 60).outcome).toBe('placed')
    expect(table.passed(slow.leaseNumber, 61).outcome).toBe('duplicate')
    expect(table.counters).toMatchObject({ duplicates: 1, placedBytes: 100 })
  })

  test("knows no lease but the peer's own", () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    expect(table.offer(bob, leaseNumber, 1).outcome).toBe('unknown')
    expect(table.offer(ada, 99, 1).outcome).toBe('unknown')
    expect(table.passed(99, 1).outcome).toBe('void')
  })

  test('merges only what was placed', () => {
    const table = makeTable(2)
    grantTo(table, ada)
    table.merged([0, 1, 7])
    expect(table.counters.mergedBytes).toBe(0)
  })
})

describe('verifying → pending', () => {
  test('bars a peer that is proven false, and frees all it holds', () => {
    const table = makeTable(3)
    const [first, second] = table.claim(claimOf(ada, { count: 2 })).grants
    const falseLease = first?.leaseNumber ?? 0
    table.offer(ada, falseLease, 1)
    table.received(falseLease)
    const releases = table.refused(falseLease, { proof: true, nowMs: 2 })
    expect(releases.map(({ reason, chunkIndex }) => [reason, chunkIndex])).toEqual([
      ['refused', 0],
      ['barred', 1]
    ])
    expect([table.view(0)?.attempts, table.view(1)?.attempts]).toEqual([1, 0])
    expect(table.claim(claimOf(ada, { nowMs: 1e6 })).refusal).toBe('barred')
    expect(table.offer(ada, second?.leaseNumber ?? 0, 3).outcome).toBe('barred')
    expect(table.passed(second?.leaseNumber ?? 0, 3).outcome).toBe('void')
    expect(table.adopt({ peer: ada, chunkIndex: 0, epoch: 1, nowMs: 3 })).toBeUndefined()
    expect(table.claim(claimOf(bob, { nowMs: 3, count: 3 })).grants).toHaveLength(3)
  })

  test('lets a peer go on whose result failed without proof, but not offer it again', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    expect(only(table.refused(leaseNumber, { proof: false, nowMs: 1 }))).toMatchObject({ reason: 'refused' })
    expect(table.claim(claimOf(ada, { nowMs: 1 })).refusal).toBe('busy')
    expect(table.offer(ada, leaseNumber, 1).outcome).toBe('unknown')
    expect(table.claim(claimOf(ada, { nowMs: 1 + BACKOFF_MS })).grants).toHaveLength(1)
  })

  test('bars a peer whose late result is proven false, without harm to the present holder', () => {
    const table = makeTable(1)
    const old = grantTo(table, ada)
    table.disconnect(ada, 1)
    grantTo(table, bob, { nowMs: 2 })
    table.offer(ada, old.leaseNumber, 3)
    expect(table.refused(old.leaseNumber, { proof: true, nowMs: 4 })).toEqual([])
    expect(table.view(0)).toMatchObject({ state: 'leased', leases: [{ peer: bob }] })
    expect(table.claim(claimOf(ada, { nowMs: 1e6 })).refusal).toBe('barred')
  })

  test('goes back to leased when a backup copy is still at work', () => {
    const table = makeTable(1)
    const first = grantTo(table, ada, { estimateMs: () => 9_000 })
    grantTo(table, bob, { estimateMs: () => 10, nowMs: BACKUP_AGE_MS_MIN })
    table.received(first.leaseNumber)
    expect(table.view(0)?.state).toBe('verifying')
    expect(only(table.refused(first.leaseNumber, { proof: true, nowMs: 2 })).requeued).toBe(false)
    expect(table.view(0)?.state).toBe('leased')
  })
})
