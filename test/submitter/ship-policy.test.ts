import { describe, expect, test } from 'vitest'
import { peerName } from '../../src/domain/ids.ts'
import type { LocalPolicy } from '../../src/domain/job.ts'
import { LeaseNumberSource } from '../../src/domain/lease-numbers.ts'
import { LeaseTable } from '../../src/domain/lease-table.ts'
import { ShipPolicy } from '../../src/submitter/ship-policy.ts'
import { JobHarness } from './job-harness.ts'

const MIB = 1024 * 1024
const ada = peerName('ada')
const bob = peerName('bob')

function make(estimateNsPerByte: number, local: LocalPolicy = 'auto') {
  const { record } = new JobHarness(1, { local, chunkBytesFixed: false, chunkBytesMax: 4 * MIB })
  const spec = { ...record.spec, inputBytes: 1024 * MIB, blockBytes: 256 * 1024 }
  const bounds = { windowBytes: () => 1e9, leasedBytesMax: () => 1e9, numbers: new LeaseNumberSource(), nowMs: 0 }
  const table = new LeaseTable({ grid: spec, local, ...bounds })
  let cpuMs = 0
  const options = record.options
  const machine = { threads: 2, cores: 2, isHere: () => false, mainThreadCpuMs: () => cpuMs }
  const policy = new ShipPolicy({ spec, options, estimateNsPerByte, table, ...machine })
  const grantTo = (peer: typeof ada) => {
    const wish = policy.peerClaim(peer, 8)
    if ('retryAfterMs' in wish) return undefined
    const { grants } = table.claim({ peer, nowMs: 0, memoryBytes: 1e9, ...wish })
    policy.granted(peer, grants)
    return grants
  }
  const returned = (peer: typeof ada, computeMs: number, transportMs: number) => {
    cpuMs += transportMs
    policy.shipped({ peer, inputBytes: 4 * MIB, leaseMs: computeMs + 10, computeMs, nowMs: 1_000 })
  }
  return { policy, grantTo, returned }
}

describe('what is shipped', () => {
  test('is one probe for every peer, however cheap the work', () => {
    const { grantTo, policy } = make(0.13)
    expect(grantTo(ada)).toHaveLength(1)
    expect(grantTo(bob)).toHaveLength(1)
    expect(policy.peerClaim(ada, 8)).toEqual({ retryAfterMs: 1_000 })
  })

  test('is no more of cheap work, once the probe is back', () => {
    const { grantTo, returned, policy } = make(0.13)
    grantTo(ada)
    returned(ada, 1, 10)
    expect(policy.peerClaim(ada, 8)).toEqual({ retryAfterMs: 1_000 })
  })

  test('is dear work, as much as the peer asks for', () => {
    const { grantTo, returned, policy } = make(500)
    grantTo(ada)
    returned(ada, 400, 10)
    expect(policy.peerClaim(ada, 8)).toMatchObject({ count: 8 })
  })

  test('is all with never and nothing with only', () => {
    expect(make(0.13, 'never').policy.peerClaim(ada, 8)).toMatchObject({ count: 8 })
    expect(make(500, 'only').policy.peerClaim(ada, 8)).toHaveProperty('retryAfterMs')
  })

  test('is a probe again after the first was lost', () => {
    const { grantTo, policy } = make(0.13)
    grantTo(ada)
    policy.lost(ada)
    expect(grantTo(ada)).toHaveLength(1)
  })

  test('follows what is measured: work that turns out dear goes out', () => {
    const { grantTo, returned, policy } = make(0.13)
    grantTo(ada)
    returned(ada, 400, 10)
    expect(policy.peerClaim(ada, 8)).toHaveProperty('retryAfterMs')
    for (let chunk = 0; chunk < 20; chunk++) policy.computed({ inputBytes: 4 * MIB, computeMs: 2_000 })
    expect(policy.peerClaim(ada, 8)).toMatchObject({ count: 8 })
  })
})
