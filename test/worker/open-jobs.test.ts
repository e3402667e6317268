import { describe, expect, test } from 'vitest'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { OpenJobs } from '../../src/worker/open-jobs.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { FakeSubmitter, JOB_ID } from './fake-submitter.ts'

const OTHER_JOB = 'zyxwvutsrqponmlkjihgfedcba'
const sub = new FakeSubmitter('sub')
const ready = () => true

function make() {
  const clock = new VirtualClock()
  return { clock, jobs: new OpenJobs({ clock, kernelIds: ['invert-f32-1'], memoryBytes: 4 * 1024 * 1024 }) }
}

describe('the open jobs of a worker', () => {
  test('are chosen from when their submitter is ready', () => {
    const { jobs } = make()
    jobs.update(sub.advert())
    expect(jobs.choose(() => false)).toBeUndefined()
    expect(jobs.choose(ready)?.jobId).toBe(JOB_ID)
    expect([...jobs.submitters()]).toEqual(['sub'])
  })

  test.for([
    { why: 'of a kernel that it lacks', changes: { kernelId: 'matrix-1' } },
    { why: 'that keep their work', changes: { localOnly: true } },
    { why: 'whose chunks do not fit', changes: { chunkBytesMax: 8 * 1024 * 1024 } },
    { why: 'that are closed', changes: { state: 'closed' as const } }
  ])('leave out those $why', ({ changes }) => {
    const { jobs } = make()
    jobs.update(sub.advert(changes))
    expect(jobs.choose(ready)).toBeUndefined()
  })

  test('have one claim under way each', () => {
    const { jobs } = make()
    const advert = sub.advert()
    jobs.update(advert)
    jobs.claiming(advert)
    expect(jobs.choose(ready)).toBeUndefined()
    jobs.claimed(advert, 2, undefined, 0)
    expect(jobs.choose(ready)).toBe(advert)
  })

  test('take turns by submitter', () => {
    const { jobs } = make()
    const adverts = [sub.advert(), sub.advert({ jobId: OTHER_JOB }), new FakeSubmitter('other').advert()]
    for (const advert of adverts) jobs.update(advert)
    const served = Array.from({ length: 4 }, () => {
      const chosen = jobs.choose(ready) ?? expect.fail('no job was chosen')
      jobs.claimed(chosen, 1, undefined, 0)
      return chosen.submitter
    })
    expect(served).toEqual(['sub', 'other', 'sub', 'other'])
  })

  test('wait for as long as the submitter says, or until it wakes them', async () => {
    const { clock, jobs } = make()
    const advert = sub.advert()
    jobs.update(advert)
    jobs.claimed(advert, 0, RefusalCode.busy, 700)
    await clock.advance(699)
    expect(jobs.choose(ready)).toBeUndefined()
    await clock.advance(1)
    expect(jobs.choose(ready)).toBe(advert)
    jobs.claimed(advert, 0, RefusalCode.busy, 60_000)
    expect(jobs.wake('sub', JOB_ID)).toBe(true)
    expect(jobs.choose(ready)).toBe(advert)
  })

  test('are asked again after two seconds when told to wait for a wake, which may be lost', async () => {
    const { clock, jobs } = make()
    const advert = sub.advert()
    jobs.update(advert)
    jobs.claimed(advert, 0, RefusalCode.nothingLeft, 0)
    await clock.advance(1_999)
    expect(jobs.choose(ready)).toBeUndefined()
    await clock.advance(1)
    expect(jobs.choose(ready)).toBe(advert)
  })

  test.for([
    RefusalCode.barred,
    RefusalCode.jobClosed,
    RefusalCode.unknownJob,
    RefusalCode.unsupportedKernel,
    RefusalCode.localOnly
  ])('are not asked again after refusal %i, until their submitter starts anew', async (refusal) => {
    const { clock, jobs } = make()
    const advert = sub.advert()
    jobs.update(advert)
    jobs.claimed(advert, 0, refusal, 0)
    await clock.advance(3_600_000)
    jobs.wake('sub', JOB_ID)
    jobs.update(sub.advert({ sequence: 2 }))
    expect(jobs.choose(ready)).toBeUndefined()
    jobs.update(sub.advert({ incarnation: 2 }))
    expect(jobs.choose(ready)?.incarnation).toBe(2)
  })

  test('are gone with their submitter', () => {
    const { jobs } = make()
    jobs.update(sub.advert())
    jobs.update(sub.advert({ jobId: OTHER_JOB }))
    jobs.forgetSubmitter('sub')
    expect(jobs.choose(ready)).toBeUndefined()
    expect(jobs.wake('sub', JOB_ID)).toBe(false)
    expect(jobs.submitters().size).toBe(0)
  })

  test('belong to who advertises them: another with the same id is another job', () => {
    const { jobs } = make()
    jobs.update(sub.advert())
    jobs.update(new FakeSubmitter('thief').advert({ state: 'closed' }))
    expect(jobs.choose(ready)?.submitter).toBe('sub')
  })
})
