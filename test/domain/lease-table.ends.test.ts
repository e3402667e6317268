import { describe, expect, test } from 'vitest'
import { LEASE_TTL_FIRST_MS, NO_PEER_MS } from '../../src/domain/lease-limits.ts'
import { ada, bob, claimOf, cyd, dan, finish, grantTo, localClaimOf, makeTable, only } from './lease-table-fixture.ts'

describe('pending → local', () => {
  test("gives the submitter's own worker chunks in the same order, without a deadline", () => {
    const table = makeTable(3)
    grantTo(table, ada)
    const local = only(table.claimLocal(localClaimOf()).grants)
    expect(local.chunk.chunkIndex).toBe(1)
    expect(table.nextDeadlineMs()).toBe(LEASE_TTL_FIRST_MS)
    const placed = table.passed(local.leaseNumber, 7)
    expect(placed).toMatchObject({ outcome: 'placed' })
    expect(placed).not.toHaveProperty('peer')
  })

  test('as a fallback, takes nothing while a peer is there, and all after 5 s without one', () => {
    const table = makeTable(3)
    const fallback = (nowMs: number) => table.claimLocal(localClaimOf({ nowMs, fallbackOnly: true })).grants.length
    expect(fallback(NO_PEER_MS - 1)).toBe(0)
    table.renew(ada, [], 3_000)
    expect(fallback(NO_PEER_MS)).toBe(0)
    expect(fallback(3_000 + NO_PEER_MS)).toBe(1)
  })

  test('alone takes a chunk that five attempts over three peers failed on', () => {
    const table = makeTable(2)
    let nowMs = 0
    for (const peer of [ada, bob, ada, bob, cyd]) {
      nowMs += 60_000
      const { leaseNumber, chunk } = grantTo(table, peer, { nowMs })
      expect(chunk.chunkIndex).toBe(0)
      table.release(peer, [leaseNumber], 'kernel-failed', nowMs)
    }
    expect(grantTo(table, dan, { nowMs }).chunk.chunkIndex).toBe(1)
    expect(table.claim(claimOf(dan, { nowMs })).refusal).toBe('nothingLeft')
    const local = only(table.claimLocal(localClaimOf({ nowMs, fallbackOnly: true })).grants)
    expect(local).toMatchObject({ attempts: 5, epoch: 6, chunk: { chunkIndex: 0 } })
  })

  test('waits for further peers instead when the policy is never', () => {
    const table = makeTable(1, { local: 'never' })
    let nowMs = 0
    for (const peer of [ada, bob, cyd, ada, bob, cyd, ada, bob, cyd, ada, bob]) {
      nowMs += 60_000
      table.release(peer, [grantTo(table, peer, { nowMs }).leaseNumber], 'kernel-failed', nowMs)
    }
    expect(table.claimLocal(localClaimOf({ nowMs })).grants).toEqual([])
    expect(grantTo(table, dan, { nowMs }).attempts).toBe(11)
  })
})

describe('local → failed', () => {
  test('fails the job, names the chunk, and revokes the rest', () => {
    const table = makeTable(3)
    const remote = grantTo(table, ada)
    const local = only(table.claimLocal(localClaimOf()).grants)
    expect(table.localFailed(remote.leaseNumber, 1)).toEqual([])
    const revoked = table.localFailed(local.leaseNumber, 1)
    expect(revoked).toEqual([{ leaseNumber: remote.leaseNumber, chunkIndex: 0, peer: ada }])
    expect(table.failedChunk).toBe(1)
    expect(table.view(1)?.state).toBe('failed')
    expect(table.view(0)?.state).toBe('pending')
    expect(table.claim(claimOf(bob)).refusal).toBe('jobClosed')
    expect(table.claimLocal(localClaimOf()).refusal).toBe('jobClosed')
    expect(table.offer(ada, remote.leaseNumber, 2).outcome).toBe('closed')
  })
})

describe('any → cancelled', () => {
  test('revokes leases, keeps merged chunks', () => {
    const table = makeTable(3)
    finish(table, grantTo(table, ada), 1)
    table.merged([0])
    const { leaseNumber } = grantTo(table, ada, { nowMs: 1 })
    expect(table.cancel(2)).toEqual([{ leaseNumber, chunkIndex: 1, peer: ada }])
    expect([table.view(0)?.state, table.view(1)?.state]).toEqual(['merged', 'cancelled'])
    expect(table.passed(leaseNumber, 3).outcome).toBe('void')
    expect(table.renew(ada, [{ leaseNumber, progress: 1 }], 3)).toEqual([leaseNumber])
    expect(table.hasGrantable).toBe(false)
    expect(table.counters.liveLeases).toBe(0)
  })
})

describe('after a restart of the submitter', () => {
  const grid = { inputBytes: 300, blockBytes: 100, reverse: false }
  const chunk = (chunkIndex: number) => ({
    chunkIndex,
    inputOffset: 100 * chunkIndex,
    inputBytes: 100,
    outputOffset: 100 * chunkIndex,
    outputBytes: 100
  })
  const restored = [
    { ...chunk(0), epoch: 1, attempts: 0, merged: { chunkIndex: 0, computeMs: 1, transferMs: 1 } },
    { ...chunk(1), epoch: 4, attempts: 2 }
  ]

  test('keeps merged chunks merged and goes on with the others at the next epoch', () => {
    const table = makeTable(3, { grid, restored })
    expect(table.counters).toMatchObject({ mergedBytes: 100, pendingChunks: 1, openBytes: 200 })
    const { grants } = table.claim(claimOf(ada, { count: 3 }))
    expect(grants.map(({ chunk: { chunkIndex }, epoch, attempts }) => [chunkIndex, epoch, attempts])).toEqual([
      [1, 5, 2],
      [2, 1, 0]
    ])
  })

  test('adopts a result that a worker still holds, under a fresh lease', () => {
    const table = makeTable(3, { grid, restored })
    const adopted = table.adopt({ peer: ada, chunkIndex: 1, epoch: 3, nowMs: 1 })
    expect(adopted).toMatchObject({ epoch: 5, chunk: chunk(1), backup: false })
    expect(table.adopt({ peer: ada, chunkIndex: 1, epoch: 3, nowMs: 1 })).toBeUndefined()
    expect(table.adopt({ peer: bob, chunkIndex: 1, epoch: 4, nowMs: 1 })).toBeDefined()
    expect(table.adopt({ peer: cyd, chunkIndex: 1, epoch: 4, nowMs: 1 })).toBeUndefined()
  })

  test.each([
    ['of a merged chunk', { chunkIndex: 0, epoch: 1 }],
    ['of an epoch that never was', { chunkIndex: 1, epoch: 5 }],
    ['of no epoch', { chunkIndex: 1, epoch: 0 }],
    ['of a chunk that was never cut', { chunkIndex: 2, epoch: 1 }]
  ])('adopts no result %s', (_, held) => {
    const table = makeTable(3, { grid, restored })
    expect(table.adopt({ peer: ada, nowMs: 1, ...held })).toBeUndefined()
  })
})
