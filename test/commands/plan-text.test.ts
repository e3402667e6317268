import { describe, expect, test } from 'vitest'
import type { PlanBasis, PlanPeer, PlanView } from '../../src/app/api-types.ts'
import { formatForecast, formatPlan } from '../../src/commands/views/home-text.ts'
import type { JobForecast } from '../../src/domain/job.ts'
import { forecastOutcome } from '../../src/domain/job.ts'

const peer: PlanPeer = {
  peerId: 'id-ann',
  name: 'ann',
  sameMachine: false,
  threads: 2,
  computeMs: 1_500,
  computeSource: 'jobs',
  linkBytesPerSecond: 110e6,
  latencyMs: 0.8,
  linkSource: 'assumed'
}
const { linkSource: _, ...beside } = { ...peer, name: 'bob', sameMachine: true }
const basis: PlanBasis = {
  threads: 2,
  cores: 2,
  kernel: { kernelId: 'k', nsPerByte: 48.2, startMs: 90, checkNsPerByte: 5, source: 'measured' },
  peers: [peer, beside]
}
const plan: PlanView = {
  task: 'matrix',
  inputBytes: 67_108_864,
  chunkBytes: 1_048_576,
  chunks: 64,
  peers: 2,
  aloneMs: 1_900,
  swarmMs: 1_200,
  shippedBytes: 167e6,
  worthShipping: true,
  summary: 'The swarm is faster.',
  basis
}
const forecast: JobForecast = {
  aloneMs: 1_900,
  swarmMs: 1_200,
  expectedMs: 1_200,
  faster: 'swarm',
  limit: 'compute',
  peers: 2,
  sameMachinePeers: 0,
  kernelSource: 'remembered',
  linkSource: 'assumed'
}

describe('the text of a plan', () => {
  test('gives both times, the verdict, and what was measured and what assumed', () => {
    const lines = formatPlan(plan).split('\n')
    expect(lines.slice(1, 4)).toEqual([
      'alone         1.9 s',
      'with 2 peers  1.2 s, 167 MB over the network',
      'The swarm is faster.'
    ])
    expect(lines[5]).toBe(
      'this machine  2 threads on 2 cores, 48 ns of a thread per byte of a chunk, checking it 5.00 ns (measured now)'
    )
    expect(lines[6]).toContain(
      'ann           link 110 MB/s, 0.8 ms (assumed), kernels 1.5 s for all of it (from earlier jobs)'
    )
    expect(lines[7]).toBe('bob           on this machine: shares its cores')
  })

  test('names the first peers only, and lets no name of a peer control the terminal', () => {
    const many = formatPlan({ ...plan, basis: { ...basis, peers: Array(20).fill({ ...peer, name: '\u001b[31mred' }) } })
    expect(many).toContain('… and 12 more peers')
    expect(many).not.toContain('\u001b')
  })

  test('stays short where a process of before knows no more', () => {
    const { basis: _basis, ...short } = plan
    expect(formatPlan(short).split('\n')).toHaveLength(4)
  })
})

describe('the text of a kept forecast', () => {
  test('is what was expected, then what came beside it', () => {
    expect(formatForecast(forecast)).toBe('1.2 s with 2 peers, 1.9 s alone (kernel remembered, links assumed)')
    expect(formatForecast(forecastOutcome(forecast, 1_500))).toContain('; took 1.5 s, 1.25 times what was expected')
  })
})
