import { describe, expect, test } from 'vitest'
import { learnFromJob } from '../../src/app/plan-learn.ts'
import { peerName } from '../../src/domain/ids.ts'
import { openDatabase } from '../../src/store/database.ts'
import { MeasureStore } from '../../src/store/measure-store.ts'
import { PeerStore } from '../../src/store/peer-store.ts'
import { testJob } from '../store/support-journal.ts'

const job = testJob('a')
const KERNEL = job.spec.kernelId
const share = { name: 'ann', chunks: 2, bytesIn: 0, bytesOut: 0 }
/** Of 40 MB the peer did 10, which are 2.5 million samples. */
const counters = {
  inputBytes: 40e6,
  computeMs: 5_000,
  checkMs: 0,
  peers: [{ ...share, peerId: peerName('ann'), units: 2.5e6, computeMs: 2_000 }]
}

function lessons(threads: number | undefined) {
  const database = openDatabase('')
  const peers = new PeerStore(database)
  peers.remember({ peerId: 'ann', addresses: [], seenAtMs: 1 })
  return { measures: new MeasureStore(database), peers, threadsOf: () => threads, freshMs: 1_000, nowMs: 5_000 }
}

describe('a job that is done', () => {
  test('shows the speed of a peer with all its threads, and of this machine', () => {
    const kept = lessons(4)
    learnFromJob(job, counters, kept)
    expect(kept.peers.get('ann')).toMatchObject({ jobs: 1, speeds: { [KERNEL]: 20e6 } })
    expect(kept.measures.kernel(KERNEL, 0)).toMatchObject({ nsPerByte: 100, source: 'jobs', measuredAtMs: 5_000 })
  })

  test('does not replace what was measured lately', () => {
    const kept = lessons(4)
    const measured = { nsPerByte: 7, startMs: 1, checkNsPerByte: 0, source: 'measured', measuredAtMs: 4_500 } as const
    kept.measures.keepKernel(KERNEL, measured)
    learnFromJob(job, counters, kept)
    expect(kept.measures.kernel(KERNEL, 0)).toEqual(measured)
    kept.measures.keepKernel(KERNEL, { ...measured, measuredAtMs: 3_000 })
    learnFromJob(job, counters, kept)
    expect(kept.measures.kernel(KERNEL, 0)?.source).toBe('jobs')
  })

  test('shows nothing when it was too short, was resumed, or its peer is not linked any more', () => {
    const short = lessons(4)
    learnFromJob(
      job,
      { ...counters, computeMs: 50, peers: counters.peers.map((it) => ({ ...it, computeMs: 20 })) },
      short
    )
    const resumed = lessons(4)
    learnFromJob({ ...job, incarnation: 2 }, counters, resumed)
    const gone = lessons(undefined)
    learnFromJob(job, counters, gone)
    for (const { peers } of [short, resumed, gone]) expect(peers.get('ann')?.speeds).toEqual({})
    for (const { measures } of [short, resumed]) expect(measures.kernel(KERNEL, 0)).toBeUndefined()
  })
})
