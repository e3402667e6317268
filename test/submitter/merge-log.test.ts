import { describe, expect, test } from 'vitest'
import { settle } from '../support/virtual-clock.ts'
import { JOB_ID, JobHarness } from './job-harness.ts'

async function make(chunks: number) {
  const harness = new JobHarness(chunks)
  const { ended } = await harness.start()
  const ada = await harness.worker('ada')
  harness.sink.holds = true
  return { harness, ended, ada }
}

describe('a merged chunk', () => {
  test('is durable, journalled, in the ledger and only then receipted', async () => {
    const { harness, ada } = await make(2)
    const grant = await ada.grant()
    const { verdicts } = await ada.offer(grant, await ada.compute(grant))
    expect(harness.log).toEqual(['journal grant 0 epoch 1'])
    expect(verdicts).toEqual([])
    harness.sink.sync()
    await settle()
    expect(harness.log.slice(1)).toEqual(['durable 0', 'sign', 'journal merge 0', 'ledger 1', 'accept 0'])
    expect(verdicts).toHaveLength(1)
  })

  test('keeps its receipt in the journal, as it was signed', async () => {
    const { harness, ada } = await make(2)
    const grant = await ada.grant()
    const { verdicts } = await ada.offer(grant, await ada.compute(grant))
    harness.sink.sync()
    await settle()
    expect(harness.journal.receipts(JOB_ID).map((receipt) => new TextDecoder().decode(receipt))).toEqual(verdicts)
    expect(harness.journal.get(JOB_ID)?.checkpoint?.chunkCount).toBe(1)
  })

  test('is journalled with those that became durable with it, in one go', async () => {
    const { harness, ended, ada } = await make(3)
    expect(await ada.work()).toBe(3)
    expect(await ended).toMatchObject({ event: 'done' })
    expect(harness.log.filter((line) => /journal merge|ledger \d|accept/.test(line))).toEqual([
      'journal merge 0,1,2',
      'ledger 3',
      'accept 0',
      'accept 1',
      'accept 2'
    ])
  })
})
