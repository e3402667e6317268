import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type JobId, peerName } from '../../src/domain/ids.ts'
import { JOBS_MAX, type JobCandidate, JobChoice, type WorkerMeans } from '../../src/domain/job-choice.ts'

const means: WorkerMeans = { kernelIds: new Set(['invert-1']), memoryBytes: 1_000, freeBytes: 1_000, nowMs: 0 }

function job(submitter: string, jobId: string, change: Partial<JobCandidate> = {}): JobCandidate {
  return {
    jobId: jobId as JobId,
    submitter: peerName(submitter),
    kernelId: 'invert-1',
    localOnly: false,
    blockBytes: 10,
    chunkBytesMax: 100,
    ...change
  }
}

/** Serves `turns` times. @returns the job ids in order */
function serve(choice: JobChoice, turns: number): string[] {
  const served: string[] = []
  for (let turn = 0; turn < turns; turn++) {
    const { job: chosen } = choice.next(means)
    if (chosen === undefined) break
    choice.served(chosen)
    served.push(chosen.jobId)
  }
  return served
}

describe('JobChoice', () => {
  test('serves submitters in turn, however many jobs each has', () => {
    const choice = new JobChoice()
    for (const candidate of [job('ada', 'a1'), job('ada', 'a2'), job('ada', 'a3'), job('bob', 'b1')])
      choice.open(candidate)
    expect(serve(choice, 6)).toEqual(['a1', 'b1', 'a2', 'b1', 'a3', 'b1'])
  })

  test.each<[string, Partial<JobCandidate>]>([
    ['whose kernel the worker lacks', { kernelId: 'matrix-1' }],
    ['that stays with its submitter', { localOnly: true }],
    ['whose chunks do not fit into its memory', { chunkBytesMax: 1_001 }]
  ])('skips a job %s', (_, change) => {
    const choice = new JobChoice()
    choice.open(job('ada', 'a1', change))
    expect(choice.next(means)).toEqual({})
  })

  test('waits until a block fits into free memory', () => {
    const choice = new JobChoice()
    choice.open(job('ada', 'a1'))
    expect(choice.next({ ...means, freeBytes: 9 })).toEqual({})
    expect(choice.next({ ...means, freeBytes: 10 }).job?.jobId).toBe('a1')
  })

  test('skips a barred job, also when it is advertised again', () => {
    const choice = new JobChoice()
    choice.open(job('ada', 'a1'))
    choice.bar(job('ada', 'a1'))
    choice.open(job('ada', 'a1'))
    expect(choice.next(means)).toEqual({})
  })

  test('says when a backed-off job is due, and asks at once when woken', () => {
    const choice = new JobChoice()
    choice.open(job('ada', 'a1'))
    choice.backOff(job('ada', 'a1'), 300)
    expect(choice.next({ ...means, nowMs: 100 })).toEqual({ waitMs: 200 })
    expect(choice.next({ ...means, nowMs: 300 }).job?.jobId).toBe('a1')
    choice.wake(job('ada', 'a1'))
    expect(choice.next(means).job?.jobId).toBe('a1')
  })

  test('forgets closed jobs and submitters that left', () => {
    const choice = new JobChoice()
    for (const candidate of [job('ada', 'a1'), job('ada', 'a2'), job('bob', 'b1')]) choice.open(candidate)
    choice.close(job('bob', 'b1'))
    expect(serve(choice, 2)).toEqual(['a1', 'a2'])
    choice.closeAll(peerName('ada'))
    expect(choice.next(means)).toEqual({})
    expect(choice.jobCount).toBe(0)
  })

  test("does not let a peer speak for another's job of the same id", () => {
    const choice = new JobChoice()
    choice.open(job('ada', 'a1'))
    choice.open(job('eve', 'a1'))
    choice.close(job('eve', 'a1'))
    expect(choice.next(means)).toEqual({ job: { jobId: 'a1', submitter: 'ada' } })
  })

  test('takes up a bounded number of jobs', () => {
    const choice = new JobChoice()
    for (let index = 0; index < JOBS_MAX; index++) expect(choice.open(job('ada', `a${index}`))).toBe(true)
    expect(choice.open(job('bob', 'b1'))).toBe(false)
    expect(choice.open(job('ada', 'a0'))).toBe(true)
    expect(choice.jobCount).toBe(JOBS_MAX)
  })

  test('gives every submitter the same number of turns, give or take one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
        fc.nat(60),
        (jobs, turns) => {
          const choice = new JobChoice()
          for (const [submitter, count] of jobs.entries()) {
            for (let index = 0; index < count; index++) choice.open(job(`s${submitter}`, `${submitter}-${index}`))
          }
          const served = serve(choice, turns)
          const counts = jobs.map((_, submitter) => served.filter((jobId) => jobId.startsWith(`${submitter}-`)).length)
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
        }
      )
    )
  })
})
