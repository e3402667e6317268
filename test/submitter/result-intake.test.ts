import { describe, expect, test } from 'vitest'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { settle } from '../support/virtual-clock.ts'
import { CHUNK_BYTES, JOB_ID, JobHarness } from './job-harness.ts'

async function make(chunks = 4) {
  const harness = new JobHarness(chunks)
  const { ended } = await harness.start()
  const ada = await harness.worker('ada')
  const grant = await ada.grant()
  return { harness, ended, ada, grant, result: await ada.compute(grant) }
}

describe('an offered result', () => {
  test('is accepted when claim, hash and bytes are right', async () => {
    const { harness, ada, grant, result } = await make()
    const { verdicts } = await ada.offer(grant, result)
    expect(verdicts).toEqual(['receipt of claim 0'])
    expect(harness.journal.chunks(JOB_ID)[0]?.merged).toMatchObject({ peerId: 'ada', peerName: 'ada', computeMs: 2 })
  })

  test.for([
    { what: 'another job', claim: { jobId: 'zyxwvutsrqponmlkjihgfedcba' } },
    { what: 'another chunk', claim: { chunkIndex: 3 } },
    { what: 'another epoch', claim: { epoch: 2 } },
    { what: 'another incarnation', claim: { incarnation: 9 } },
    { what: 'another submitter', claim: { submitter: 'eve' } },
    { what: 'another kernel', claim: { kernelId: 'invert-f32-0' } },
    { what: 'another input', claim: { inputHash: new Uint8Array(32) } },
    { what: 'another length of input', claim: { inputBytes: CHUNK_BYTES - 4 } },
    { what: 'another length of result', claim: { outputBytes: CHUNK_BYTES - 4 } }
  ])('whose claim names $what is refused without a pull, and bars nobody', async ({ claim }) => {
    const { harness, ada, grant, result } = await make()
    const pull = async () => expect.fail('it was pulled')
    const { verdicts } = await ada.offer(grant, result, { claim, pull })
    expect(verdicts).toEqual([RefusalCode.claimInvalid])
    expect(harness.eventsOf('barred')).toEqual([])
    expect(harness.eventsOf('notice')).toHaveLength(1)
    expect(ada.heartbeat(grant.leaseNumber)).toEqual([grant.leaseNumber])
    await harness.clock.advance(300)
    expect((await ada.grant()).chunkIndex).toBe(grant.chunkIndex)
  })

  test('that is signed by another peer is refused', async () => {
    const { ada, grant, result } = await make()
    expect((await ada.offer(grant, result, { signer: 'eve' })).verdicts).toEqual([RefusalCode.claimInvalid])
  })

  test('whose claim is no envelope is refused', async () => {
    const { ada, grant, result } = await make()
    const { verdicts } = await ada.offer(grant, result, { envelope: Uint8Array.of(1, 2, 3) })
    expect(verdicts).toEqual([RefusalCode.claimInvalid])
  })

  test('of another length than the chunk is refused without a pull', async () => {
    const { ada, grant, result } = await make()
    const { verdicts } = await ada.offer(grant, result.subarray(0, 32), { claim: { outputBytes: CHUNK_BYTES } })
    expect(verdicts).toEqual([RefusalCode.claimInvalid])
  })

  test('that is not what its claim says bars the peer, and the evidence is kept', async () => {
    const { harness, ada, grant, result } = await make()
    const { verdicts } = await ada.offer(grant, result, { claim: { outputHash: new Uint8Array(32) } })
    expect(verdicts).toEqual([RefusalCode.resultWrong])
    expect(harness.evidence).toMatchObject([
      { jobId: JOB_ID, chunkIndex: 0, peerId: 'ada', reason: 'the hash is another' }
    ])
    expect(harness.evidence[0]?.result).toEqual(result)
    expect(harness.eventsOf('barred')).toMatchObject([{ peerId: 'ada', evidence: '/evidence.json' }])
    expect(await ada.claim()).toMatchObject({ grants: [], refusal: RefusalCode.barred })
  })

  test('that is wrong, though its hash is right, bars the peer; the chunk goes to another', async () => {
    const { harness, ended, ada, grant, result } = await make(2)
    const other = await ada.grant()
    const wrong = result.slice()
    wrong[5] = (wrong[5] ?? 0) ^ 1
    expect((await ada.offer(grant, wrong)).verdicts).toEqual([RefusalCode.resultWrong])
    expect(harness.evidence[0]?.reason).toMatch(/^sample 1 is/)
    // Its other lease is over as well.
    expect(ada.revoked.flatMap(({ leaseNumbers }) => leaseNumbers)).toContain(other.leaseNumber)
    expect((await ada.offer(other, await ada.compute(other).catch(() => result))).verdicts).toEqual([
      RefusalCode.barred
    ])
    const bob = await harness.worker('bob')
    expect(await bob.work()).toBe(2)
    expect(await ended).toMatchObject({
      event: 'done',
      peers: [
        { peerId: 'bob', chunks: 2 },
        { peerId: 'ada', chunks: 0 }
      ]
    })
    expect(Buffer.compare(harness.sink.output, harness.expected)).toBe(0)
  })

  test('that is wrong does not fail the job when its evidence cannot be kept', async () => {
    const { harness, ended, ada, grant, result } = await make(1)
    harness.evidenceFailure = new Error('no space left')
    await ada.offer(grant, result, { claim: { outputHash: new Uint8Array(32) } })
    expect(harness.eventsOf('barred')).toMatchObject([{ evidence: 'none: no space left' }])
    const bob = await harness.worker('bob')
    await bob.work()
    expect(await ended).toMatchObject({ event: 'done' })
  })

  test('that is late is merged when nobody was faster', async () => {
    const { harness, ada, grant, result } = await make()
    await harness.clock.advance(11_000)
    expect(harness.eventsOf('released')).toMatchObject([{ reason: 'ttl' }])
    expect((await ada.offer(grant, result)).verdicts).toEqual(['receipt of claim 0'])
  })

  test('that is late and second is a duplicate: no credit, no blame', async () => {
    const { harness, ada, grant, result } = await make()
    await harness.clock.advance(11_000)
    const bob = await harness.worker('bob')
    const regrant = await bob.grant()
    expect(regrant.chunkIndex).toBe(grant.chunkIndex)
    await bob.offer(regrant, await bob.compute(regrant))
    expect((await ada.offer(grant, result)).verdicts).toEqual([RefusalCode.duplicate])
    expect(harness.log.filter((line) => line.startsWith('journal merge'))).toHaveLength(1)
    await harness.clock.advance(1_000)
    expect((await ada.claim()).grants).toHaveLength(1)
  })

  test('is a duplicate when it is checked and another passes meanwhile', async () => {
    const { harness, ada, grant, result } = await make()
    await harness.clock.advance(11_000)
    const bob = await harness.worker('bob')
    const regrant = await bob.grant()
    const gate = Promise.withResolvers<void>()
    const slow = await ada.offer(grant, result, {
      pull: async (into) => {
        await gate.promise
        into.set(result)
      }
    })
    await bob.offer(regrant, await bob.compute(regrant))
    gate.resolve()
    await settle()
    expect(slow.verdicts).toEqual([RefusalCode.duplicate])
  })

  test('is refused as unknown when it was decided on before', async () => {
    const { ada, grant, result } = await make()
    await ada.offer(grant, result, { claim: { epoch: 2 } })
    expect((await ada.offer(grant, result)).verdicts).toEqual([RefusalCode.unknownLease])
  })

  test('frees its chunk when its stream is lost in the pull', async () => {
    const { harness, ada, grant, result } = await make()
    await ada.offer(grant, result, {
      pull: (_into, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await ada.leave()
    expect(harness.eventsOf('released')).toMatchObject([{ chunkIndex: 0, reason: 'disconnected' }])
    const bob = await harness.worker('bob')
    expect((await bob.grant()).chunkIndex).toBe(0)
  })

  test('that its worker refuses to send frees the chunk', async () => {
    const { harness, ada, grant, result } = await make()
    const pull = async () => {
      throw new WireError('REFUSED', 'given up', { refusal: RefusalCode.unknownLease })
    }
    expect((await ada.offer(grant, result, { pull })).verdicts).toEqual([RefusalCode.claimInvalid])
    expect(harness.eventsOf('released')).toMatchObject([{ chunkIndex: 0, reason: 'refused' }])
    expect(harness.eventsOf('barred')).toEqual([])
  })

  test('fails the job when the input changed meanwhile, and blames nobody', async () => {
    const { harness, ended, ada, grant, result } = await make()
    harness.compute.file = harness.compute.file.map((byte) => byte ^ 0xff)
    const { verdicts } = await ada.offer(grant, result)
    expect(await ended).toMatchObject({ event: 'failed', code: 'INPUT_CHANGED' })
    expect(verdicts).not.toContain(RefusalCode.resultWrong)
    expect(harness.evidence).toEqual([])
    expect(harness.sink.published).toBe(0)
  })

  test('keeps its lease over heartbeats until its receipt, however long that takes', async () => {
    const { harness, ada, grant, result } = await make()
    harness.sink.holds = true
    const offer = await ada.offer(grant, result)
    expect(offer.verdicts).toEqual([])
    await harness.clock.advance(15_000)
    expect(ada.heartbeat(grant.leaseNumber)).toEqual([])
    const eve = await harness.worker('eve')
    expect(eve.heartbeat(grant.leaseNumber)).toEqual([grant.leaseNumber])
    harness.sink.sync()
    await settle()
    expect(offer.verdicts).toEqual(['receipt of claim 0'])
    expect(ada.heartbeat(grant.leaseNumber)).toEqual([grant.leaseNumber])
  })

  test('is received into the buffer that its input was sent from', async () => {
    const { ada, harness } = await make()
    const grant = await ada.grant()
    const input = await ada.pull(grant.leaseNumber)
    const result = harness.expected.slice(CHUNK_BYTES, 2 * CHUNK_BYTES)
    let into: ArrayBufferLike | undefined
    await ada.offer(grant, result, {
      pull: async (buffer) => {
        into = buffer.buffer
        buffer.set(result)
      }
    })
    expect(input.buffer).toBe(into)
  })
})
