import { describe, expect, test } from 'vitest'
import {
  BACKOFF_MS,
  BACKOFF_MS_MAX,
  BACKUP_AGE_MS_MIN,
  LEASE_TTL_FIRST_MS,
  LEASE_TTL_MS,
  PROGRESS_LIMIT_MS
} from '../../src/domain/lease-limits.ts'
import { ada, bob, claimOf, cyd, dan, finish, grantTo, localClaimOf, makeTable, only } from './lease-table-fixture.ts'

describe('pending → leased', () => {
  test('grants fresh cuts in output order with rising lease numbers and epoch 1', () => {
    const { grants } = makeTable(3).claim(claimOf(ada, { count: 8 }))
    expect(grants.map(({ chunk }) => chunk.outputOffset)).toEqual([0, 100, 200])
    expect(grants.map(({ chunk }) => chunk.inputOffset)).toEqual([200, 100, 0])
    expect(grants.map(({ leaseNumber }) => leaseNumber)).toEqual([1, 2, 3])
    expect(grants.every(({ epoch, attempts, backup }) => epoch === 1 && attempts === 0 && !backup)).toBe(true)
  })

  test('grants queued chunks before fresh cuts, lowest chunkIndex first, at the next epoch', () => {
    const table = makeTable(6)
    const lost = table.claim(claimOf(ada, { count: 3 })).grants
    table.release(ada, lost.map(({ leaseNumber }) => leaseNumber).reverse(), 'shutdown', 5)
    const { grants } = table.claim(claimOf(bob, { count: 4, nowMs: 9 }))
    expect(grants.map(({ chunk }) => chunk.chunkIndex)).toEqual([0, 1, 2, 3])
    expect(grants.map(({ epoch }) => epoch)).toEqual([2, 2, 2, 1])
    expect(grants[0]?.requeuedAtMs).toBe(5)
    expect(grants[3]).not.toHaveProperty('requeuedAtMs')
  })

  test('keeps every grant within the window behind what the sink consumed', () => {
    const table = makeTable(6, { windowBytes: 200 })
    const [first, second] = table.claim(claimOf(ada, { count: 6 })).grants
    if (first === undefined || second === undefined) throw new Error('expected two grants')
    expect(table.claim(claimOf(bob, { nowMs: 1 }))).toMatchObject({ grants: [], refusal: 'busy' })
    finish(table, second, 2)
    table.consumed(second.chunk.chunkIndex)
    expect(table.hasGrantable).toBe(false)
    finish(table, first, 3)
    table.consumed(first.chunk.chunkIndex)
    expect(table.hasGrantable).toBe(true)
    expect(table.claim(claimOf(bob, { count: 6, nowMs: 4 })).grants).toHaveLength(2)
  })

  test('grants the chunk that all wait for, even when window and cap are smaller than it', () => {
    const table = makeTable(2, { windowBytes: 10, leasedBytesMax: 10 })
    expect(grantTo(table, ada).chunk.chunkIndex).toBe(0)
    expect(table.claim(claimOf(bob)).refusal).toBe('busy')
  })

  test('caps the bytes under live leases', () => {
    const table = makeTable(6, { leasedBytesMax: 350 })
    expect(table.claim(claimOf(ada, { count: 6 })).grants).toHaveLength(3)
  })

  test("keeps within the peer's memory, and skips queued chunks that do not fit", () => {
    const table = makeTable(9)
    const large = grantTo(table, ada, { chunkBytes: 400 })
    table.release(ada, [large.leaseNumber], 'shutdown', 0)
    const { grants } = table.claim(claimOf(bob, { count: 5, chunkBytes: 300, memoryBytes: 250 }))
    expect(grants.map(({ chunk }) => [chunk.chunkIndex, chunk.inputBytes])).toEqual([[1, 200]])
    expect(grantTo(table, cyd).chunk).toEqual(large.chunk)
  })

  test('refuses a peer whose memory has no room for a block', () => {
    expect(makeTable(9).claim(claimOf(bob, { memoryBytes: 99 })).refusal).toBe('busy')
  })

  test('refuses everybody when the submitter keeps all work to itself', () => {
    const table = makeTable(2, { local: 'only' })
    expect(table.claim(claimOf(ada)).refusal).toBe('localOnly')
    expect(table.hasGrantable).toBe(false)
    expect(table.claimLocal(localClaimOf()).grants).toHaveLength(1)
  })

  test('has nothing left once all is leased, and asks to be asked again while a lease may fail', () => {
    const table = makeTable(1)
    const grant = grantTo(table, ada)
    const refused = table.claim(claimOf(bob))
    expect(refused.refusal).toBe('nothingLeft')
    expect(refused.retryAfterMs).toBeGreaterThan(0)
    finish(table, grant, 1)
    expect(table.claim(claimOf(bob))).toMatchObject({ refusal: 'nothingLeft', retryAfterMs: 0 })
  })
})

describe('leased → leased', () => {
  test('lives 5 s from the grant, and 10 s from the first heartbeat', () => {
    const table = makeTable(1)
    const { leaseNumber, ttlMs } = grantTo(table, ada)
    expect(ttlMs).toBe(LEASE_TTL_FIRST_MS)
    expect(table.nextDeadlineMs()).toBe(LEASE_TTL_FIRST_MS)
    expect(table.expire(LEASE_TTL_FIRST_MS - 1)).toEqual([])
    expect(table.renew(ada, [{ leaseNumber, progress: 1 }], 4_999)).toEqual([])
    expect(table.expire(4_999 + LEASE_TTL_MS - 1)).toEqual([])
    expect(table.expire(4_999 + LEASE_TTL_MS)).toHaveLength(1)
  })

  test('takes data for a heartbeat', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    expect(table.touch(ada, leaseNumber, 4_000)).toBe(true)
    expect(table.expire(13_999)).toEqual([])
    expect(only(table.expire(14_000))).toMatchObject({ reason: 'ttl', sinceMs: 4_000 })
  })

  test('tells a peer which of its leases are over, and others nothing', () => {
    const table = makeTable(2)
    const grant = grantTo(table, ada)
    expect(table.renew(ada, [{ leaseNumber: 77, progress: 0 }], 1)).toEqual([77])
    expect(table.renew(bob, [{ leaseNumber: grant.leaseNumber, progress: 0 }], 1)).toEqual([grant.leaseNumber])
    expect(table.touch(bob, grant.leaseNumber, 1)).toBe(false)
    expect(table.leased(bob, grant.leaseNumber)).toBeUndefined()
    expect(table.leased(ada, grant.leaseNumber)?.state).toBe('leased')
  })
})

describe('leased → leased twice', () => {
  const fast = { estimateMs: () => 100, nowMs: BACKUP_AGE_MS_MIN }
  const slow = { estimateMs: () => 1_000 + BACKUP_AGE_MS_MIN }

  test('lets a young lease alone, so that a probe can come back', () => {
    const table = makeTable(1)
    grantTo(table, ada, slow)
    expect(table.claim(claimOf(bob, { ...fast, nowMs: BACKUP_AGE_MS_MIN - 1 })).grants).toEqual([])
  })

  test('gives an idle, faster peer a copy once nothing else is left', () => {
    const table = makeTable(1)
    grantTo(table, ada, slow)
    const copy = grantTo(table, bob, fast)
    expect(copy).toMatchObject({ backup: true, epoch: 2, chunk: { chunkIndex: 0 } })
    expect(table.counters).toMatchObject({ backups: 1, liveLeases: 2, leasedChunks: 1 })
    expect(table.claim(claimOf(cyd, fast)).refusal).toBe('nothingLeft')
  })

  test('gives no copy to a peer that is not 1.3 times sooner, nor to the holder', () => {
    const table = makeTable(1)
    grantTo(table, ada, slow)
    expect(table.claim(claimOf(bob, { ...fast, estimateMs: () => 800 })).grants).toEqual([])
    expect(table.claim(claimOf(ada, fast)).grants).toEqual([])
    expect(grantTo(table, bob, { ...fast, estimateMs: () => 769 }).backup).toBe(true)
  })

  test('judges an overdue holder by its progress', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada, slow)
    table.renew(ada, [{ leaseNumber, progress: 270 }], 1_800)
    expect(table.claim(claimOf(bob, { nowMs: 1_800, estimateMs: () => 160 })).grants).toEqual([])
    expect(table.claim(claimOf(bob, { nowMs: 1_800, estimateMs: () => 150 })).grants).toHaveLength(1)
  })

  test('copies the head chunk when the window is full behind it', () => {
    const table = makeTable(5, { windowBytes: 200 })
    table.claim(claimOf(ada, { count: 2, ...slow }))
    expect(grantTo(table, bob, fast)).toMatchObject({ backup: true, chunk: { chunkIndex: 0 } })
    expect(table.claim(claimOf(cyd, fast)).refusal).toBe('busy')
  })

  test('leaves other stragglers alone while the window is full', () => {
    const table = makeTable(5, { windowBytes: 200 })
    grantTo(table, ada, { estimateMs: () => 250 })
    grantTo(table, cyd, slow)
    expect(table.claim(claimOf(bob, fast)).grants).toEqual([])
  })

  test('spends at most a tenth of the job on copies, but at least one', () => {
    const table = makeTable(10)
    table.claim(claimOf(ada, { count: 10, ...slow }))
    expect(table.claim(claimOf(bob, { count: 4, ...fast })).grants).toHaveLength(1)
    expect(table.claim(claimOf(cyd, fast)).grants).toEqual([])
  })

  test('does not count a copy as duplicate work when the other holder is lost', () => {
    const table = makeTable(2)
    table.claim(claimOf(ada, slow))
    table.claim(claimOf(cyd, slow))
    grantTo(table, bob, fast)
    expect(table.claim(claimOf(dan, fast)).grants).toEqual([])
    expect(only(table.disconnect(ada, 1))).toMatchObject({ requeued: false })
    expect(grantTo(table, dan, fast).chunk.chunkIndex).toBe(1)
    expect(table.counters.releases).toBe(0)
  })

  test('lets the idle submitter copy a straggler too', () => {
    const table = makeTable(1)
    grantTo(table, ada, slow)
    expect(only(table.claimLocal(localClaimOf(fast)).grants).backup).toBe(true)
  })

  test('gives no copy of a chunk whose result is on its way, unless it got stuck', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada, slow)
    table.offer(ada, leaseNumber, 5_000)
    table.touch(ada, leaseNumber, 6_000)
    expect(table.claim(claimOf(bob, { ...fast, nowMs: 7_999 })).grants).toEqual([])
    expect(table.claim(claimOf(bob, { ...fast, nowMs: 8_000 })).grants).toHaveLength(1)
  })

  test('gives no copy of a chunk whose result is here', () => {
    const table = makeTable(1)
    table.received(grantTo(table, ada, slow).leaseNumber)
    expect(table.claim(claimOf(bob, fast)).grants).toEqual([])
  })
})

describe('leased → pending', () => {
  test('on disconnect: at once, as an attempt, and the peer backs off', () => {
    const table = makeTable(2)
    const { grants } = table.claim(claimOf(ada, { count: 2 }))
    const releases = table.disconnect(ada, 50)
    expect(
      releases.map(({ chunkIndex, reason, sinceMs, requeued }) => [chunkIndex, reason, sinceMs, requeued])
    ).toEqual([
      [0, 'disconnected', 50, true],
      [1, 'disconnected', 50, true]
    ])
    expect(table.view(0)).toMatchObject({ state: 'pending', attempts: 1, epoch: 1, leases: [] })
    expect(table.claim(claimOf(ada, { nowMs: 50 }))).toMatchObject({ refusal: 'busy', retryAfterMs: BACKOFF_MS })
    expect(table.renew(ada, [{ leaseNumber: grants[0]?.leaseNumber ?? 0, progress: 1 }], 60)).toHaveLength(1)
    expect(table.counters).toMatchObject({ releases: 2, liveLeases: 0, leasedBytes: 0, pendingChunks: 2 })
    expect(table.disconnect(ada, 70)).toEqual([])
  })

  test('on no progress for 30 s although heartbeats come', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    for (let nowMs = 1_000; nowMs < PROGRESS_LIMIT_MS; nowMs += 1_000) {
      table.renew(ada, [{ leaseNumber, progress: 0 }], nowMs)
      expect(table.expire(nowMs)).toEqual([])
    }
    expect(only(table.expire(PROGRESS_LIMIT_MS))).toMatchObject({ reason: 'no-progress', sinceMs: 0 })
  })

  test('allows four times the estimate without progress when that is longer', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada, { estimateMs: () => 10_000 })
    table.renew(ada, [{ leaseNumber, progress: 0 }], 4_000)
    for (let nowMs = 13_000; nowMs < 40_000; nowMs += 9_000) table.renew(ada, [{ leaseNumber, progress: 0 }], nowMs)
    expect(table.expire(39_999)).toEqual([])
    expect(only(table.expire(40_000)).reason).toBe('no-progress')
  })

  test('counts a kernel failure as an attempt, a shutdown not', () => {
    const table = makeTable(2)
    const [first, second] = table.claim(claimOf(ada, { count: 2 })).grants
    table.release(ada, [first?.leaseNumber ?? 0], 'shutdown', 1)
    expect(table.claim(claimOf(ada, { nowMs: 1 })).grants).toHaveLength(1)
    table.release(ada, [second?.leaseNumber ?? 0], 'kernel-failed', 1)
    expect(table.view(0)?.attempts).toBe(0)
    expect(table.view(1)?.attempts).toBe(1)
    expect(table.claim(claimOf(ada, { nowMs: 2 })).refusal).toBe('busy')
  })

  test('takes back only what the peer holds, once', () => {
    const table = makeTable(1)
    const { leaseNumber } = grantTo(table, ada)
    expect(table.release(bob, [leaseNumber], 'kernel-failed', 1)).toEqual([])
    expect(table.release(ada, [leaseNumber, leaseNumber, 99], 'kernel-failed', 1)).toHaveLength(1)
  })

  test('backs off longer with each failure in a row, up to a cap, and forgives after a result', () => {
    const table = makeTable(100)
    let nowMs = 0
    const waits: number[] = []
    for (let failure = 0; failure < 10; failure++) {
      const { leaseNumber } = grantTo(table, ada, { nowMs })
      table.release(ada, [leaseNumber], 'kernel-failed', nowMs)
      const { retryAfterMs } = table.claim(claimOf(ada, { nowMs }))
      waits.push(retryAfterMs)
      nowMs += retryAfterMs
    }
    expect(waits.slice(0, 3)).toEqual([BACKOFF_MS, 2 * BACKOFF_MS, 4 * BACKOFF_MS])
    expect(waits.at(-1)).toBe(BACKOFF_MS_MAX)
    finish(table, grantTo(table, ada, { nowMs }), nowMs)
    const { leaseNumber } = grantTo(table, ada, { nowMs })
    table.release(ada, [leaseNumber], 'kernel-failed', nowMs)
    expect(table.claim(claimOf(ada, { nowMs })).retryAfterMs).toBe(BACKOFF_MS)
  })
})
