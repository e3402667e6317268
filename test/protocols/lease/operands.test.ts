import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  CLAIM_COUNT_MAX,
  OPERAND_CHANGES_MAX,
  OPERAND_HOLDERS_MAX,
  OPERAND_PEERS_PER_ANSWER_MAX,
  OPERANDS_PER_ANSWER_MAX,
  OPERANDS_PER_GRANT_MAX,
  TTL_MS_MAX,
  UINT32_MAX
} from '../../../protocols/lease/constants.ts'
import {
  type LeaseGrant,
  type Operand,
  SubmitterMessage as SubmitterCodec,
  WorkerMessage as WorkerCodec
} from '../../../protocols/lease/pb/lease.ts'
import { encodeSubmitterMessage, parseSubmitterMessage } from '../../../protocols/lease/submitter-messages.ts'
import type { Grant, GrantOperand } from '../../../protocols/lease/types.ts'
import { encodeWorkerMessage, parseWorkerMessage } from '../../../protocols/lease/worker-messages.ts'
import { CONTROL_MESSAGE_BYTES_MAX, OPERAND_BYTES_MAX, PEER_ID_BYTES_MAX } from '../../../protocols/wire/constants.ts'
import { OPERAND_BYTES_MAX as PLANNED_BYTES_MAX } from '../../../src/tasks/matrix/matrix-plan.ts'
import { FakeSubmitter, FakeWorker, grant, HELLO, JOB, type LeasePair, leasePair } from './lease-fixtures.ts'

const malformed = expect.objectContaining({ name: 'WireError', code: 'MESSAGE_MALFORMED' })
const count = <Item>(length: number, make: (index: number) => Item): Item[] =>
  Array.from({ length }, (_, index) => make(index))
const peer = (index: number): string => `12D3KooW${'x'.repeat(index)}`

function operand(index: number, changes: Partial<GrantOperand> = {}): GrantOperand {
  return { index, hash: new Uint8Array(32).fill(index), byteLength: 1_024, holders: [], ...changes }
}

const answerOf = (grants: readonly Grant[]) =>
  ({ type: 'claim-answer', requestId: 1, reply: { grants, retryAfterMs: 0 } }) as const
const granting = (...operands: readonly GrantOperand[]) => answerOf([{ ...grant(1), operands }])

describe('operands of grants', () => {
  const operands = fc.uniqueArray(
    fc.record({
      index: fc.integer({ min: 0, max: UINT32_MAX }),
      hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      byteLength: fc.integer({ min: 1, max: OPERAND_BYTES_MAX }),
      holders: fc.uniqueArray(fc.nat({ max: 99 }).map(peer), { maxLength: OPERAND_HOLDERS_MAX })
    }),
    { maxLength: 20, selector: ({ index }) => index }
  )

  test('come back as they were, whoever holds them', () => {
    fc.assert(
      fc.property(fc.array(operands, { minLength: 1, maxLength: 8 }), (ofGrants) => {
        const message = answerOf(ofGrants.map((some, index) => ({ ...grant(index + 1), operands: some })))
        expect(parseSubmitterMessage(encodeSubmitterMessage(message))).toEqual(message)
      })
    )
  })

  test('name each holder once in an answer', () => {
    const holders = [peer(0), peer(1)]
    const bytesOf = (length: number) =>
      encodeSubmitterMessage(granting(...count(length, (index) => operand(index + 1, { holders })))).byteLength
    // Tag, length, index, hash, length of the block, two positions.
    expect(bytesOf(3) - bytesOf(2)).toBe(2 + 2 + 34 + 3 + 4)
  })

  test('are empty in a grant from a peer that does not know them', () => {
    const { operands: _, ...old } = { ...grant(1), operands: undefined }
    const answer = { requestId: 1, grants: [old as unknown as LeaseGrant], refusal: 0, retryAfterMs: 0, peers: [] }
    expect(parseSubmitterMessage(SubmitterCodec.encode({ claimAnswer: answer }))).toEqual(answerOf([grant(1)]))
  })

  test('may be as many as one answer allows, with every field at its largest', () => {
    const peers = count(OPERAND_PEERS_PER_ANSWER_MAX, (index) =>
      `${index + 111}`.replaceAll('0', 'z').padEnd(PEER_ID_BYTES_MAX, 'x')
    )
    const perGrant = OPERANDS_PER_ANSWER_MAX / CLAIM_COUNT_MAX
    const holdersOf = (at: number) => count(OPERAND_HOLDERS_MAX, (index) => peers[(at + index) % peers.length] ?? '')
    const grants = count(CLAIM_COUNT_MAX, (at) => ({
      leaseNumber: UINT32_MAX,
      jobId: JOB,
      chunkIndex: UINT32_MAX,
      inputBytes: Number.MAX_SAFE_INTEGER,
      resultBytes: Number.MAX_SAFE_INTEGER,
      epoch: UINT32_MAX,
      incarnation: UINT32_MAX,
      ttlMs: TTL_MS_MAX,
      inputHash: new Uint8Array(32),
      adopted: true,
      operands: count(perGrant, (index) =>
        operand(UINT32_MAX - index, { byteLength: OPERAND_BYTES_MAX, holders: holdersOf(at * perGrant + index) })
      )
    }))
    const message = { ...answerOf(grants), requestId: UINT32_MAX }
    const bytes = encodeSubmitterMessage(message)
    expect(bytes.byteLength).toBeLessThanOrEqual(CONTROL_MESSAGE_BYTES_MAX)
    expect(parseSubmitterMessage(bytes)).toEqual(message)
  })

  test('of a matrix plan are no larger than the wire allows', () => {
    expect(PLANNED_BYTES_MAX).toBe(OPERAND_BYTES_MAX)
  })

  const tooManyInAll = count(4, (at) => ({
    ...grant(at + 1),
    operands: count(OPERANDS_PER_ANSWER_MAX / 4 + 1, (index) => operand(index))
  }))
  const tooManyPeers = count(OPERAND_PEERS_PER_ANSWER_MAX + 1, (index) => operand(index, { holders: [peer(index)] }))

  test.each<[string, Parameters<typeof encodeSubmitterMessage>[0]]>([
    ['too many in one grant', granting(...count(OPERANDS_PER_GRANT_MAX + 1, (index) => operand(index)))],
    ['too many in all', answerOf(tooManyInAll)],
    ['too many different holders', granting(...tooManyPeers)],
    ['one index twice', granting(operand(3), operand(3))],
    ['an index above a uint32', granting(operand(UINT32_MAX + 1))],
    ['a short hash', granting(operand(1, { hash: new Uint8Array(31) }))],
    ['a long hash', granting(operand(1, { hash: new Uint8Array(33) }))],
    ['an empty block', granting(operand(1, { byteLength: 0 }))],
    ['a block above the limit', granting(operand(1, { byteLength: OPERAND_BYTES_MAX + 1 }))],
    ['too many holders', granting(operand(1, { holders: count(OPERAND_HOLDERS_MAX + 1, peer) }))],
    ['one holder twice', granting(operand(1, { holders: [peer(1), peer(1)] }))],
    ['a holder that is no peer id', granting(operand(1, { holders: ['not a peer'] }))],
    ['a holder whose peer id is too long', granting(operand(1, { holders: [peer(PEER_ID_BYTES_MAX)] }))]
  ])('are not sent with %s', (_name, message) => {
    expect(() => encodeSubmitterMessage(message)).toThrow(malformed)
  })

  const flat = (...operands: readonly Partial<Operand>[]) => ({
    ...grant(1),
    inputHash: new Uint8Array(32),
    operands: operands.map((changes) => ({
      index: 1,
      hash: new Uint8Array(32),
      byteLength: 4,
      holders: new Uint8Array(0),
      ...changes
    }))
  })
  const holders = (...positions: number[]) => flat({ holders: Uint8Array.from(positions) })
  const none: string[] = []

  test.each<[string, readonly LeaseGrant[], readonly string[]]>([
    ['too many in one grant', [flat(...count(OPERANDS_PER_GRANT_MAX + 1, (index) => ({ index })))], none],
    ['too many in all', count(4, () => flat(...count(193, (index) => ({ index })))), none],
    ['a table of too many holders', [flat()], count(OPERAND_PEERS_PER_ANSWER_MAX + 1, peer)],
    ['one index twice', [flat({}, {})], none],
    ['a short hash', [flat({ hash: new Uint8Array(31) })], none],
    ['a long hash', [flat({ hash: new Uint8Array(33) })], none],
    ['an empty block', [flat({ byteLength: 0 })], none],
    ['a block above the limit', [flat({ byteLength: OPERAND_BYTES_MAX + 1 })], none],
    ['too many holders', [holders(0, 1, 2, 3)], count(4, peer)],
    ['one holder twice', [holders(0, 0)], [peer(1)]],
    ['one holder under two positions', [holders(0, 1)], [peer(1), peer(1)]],
    ['a holder beyond the table', [holders(1)], [peer(1)]],
    ['a position without end', [holders(0x80)], [peer(1)]],
    ['a position above a uint32', [holders(0xff, 0xff, 0xff, 0xff, 0x1f)], [peer(1)]],
    ['a holder that is no peer id', [holders(0)], ['\u001b[2J']],
    ['a holder whose peer id is too long', [holders(0)], [peer(PEER_ID_BYTES_MAX)]]
  ])('are refused with %s', (_name, grants, peers) => {
    const claimAnswer = { requestId: 1, grants: [...grants], refusal: 0, retryAfterMs: 0, peers: [...peers] }
    expect(() => parseSubmitterMessage(SubmitterCodec.encode({ claimAnswer }))).toThrow(malformed)
  })
})

describe('changes of what a worker holds', () => {
  test('come back as they were', () => {
    const indexes = fc.uniqueArray(fc.integer({ min: 0, max: UINT32_MAX }), { maxLength: OPERAND_CHANGES_MAX })
    fc.assert(
      fc.property(indexes, fc.nat({ max: OPERAND_CHANGES_MAX }), (all, at) => {
        const changes = { jobId: JOB, added: all.slice(0, at), dropped: all.slice(at) }
        const message = { type: 'operands', changes } as const
        expect(parseWorkerMessage(encodeWorkerMessage(message))).toEqual(message)
      })
    )
  })

  const lots = count(OPERAND_CHANGES_MAX, (index) => index)

  test.each([
    ['too many', { jobId: JOB, added: lots, dropped: [OPERAND_CHANGES_MAX] }],
    ['one index twice', { jobId: JOB, added: [1, 1], dropped: [] }],
    ['one index added and dropped', { jobId: JOB, added: [1], dropped: [1] }],
    ['an index above a uint32', { jobId: JOB, added: [UINT32_MAX + 1], dropped: [] }],
    ['an index that is no integer', { jobId: JOB, added: [], dropped: [0.5] }],
    ['what is no job id', { jobId: 'short', added: [1], dropped: [] }]
  ])('are not sent with %s', (_name, changes) => {
    expect(() => encodeWorkerMessage({ type: 'operands', changes })).toThrow(malformed)
  })

  test.each([
    ['too many', { added: Uint8Array.from(count(257, (index) => index % 128)) }],
    ['too many in both lists', { added: Uint8Array.from(count(128, (index) => index)), dropped: new Uint8Array(129) }],
    ['one index twice', { added: Uint8Array.of(1, 1) }],
    ['one index added and dropped', { added: Uint8Array.of(1), dropped: Uint8Array.of(1) }],
    ['an index without end', { added: Uint8Array.of(1, 0x80) }],
    ['an index above a uint32', { dropped: Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x10) }],
    ['an endless index', { dropped: new Uint8Array(12).fill(0x80) }],
    ['what is no job id', { jobId: 'short' }]
  ])('are refused with %s', (_name, changes) => {
    const operands = { jobId: JOB, added: new Uint8Array(0), dropped: new Uint8Array(0), ...changes }
    expect(() => parseWorkerMessage(WorkerCodec.encode({ operands }))).toThrow(malformed)
  })
})

describe('a session', () => {
  let pair: LeasePair
  let submitter: FakeSubmitter
  const { signal } = new AbortController()

  beforeEach(async () => {
    pair = await leasePair()
    submitter = new FakeSubmitter()
    pair.listener.services.lease.setHandler(submitter)
  })
  afterEach(() => pair.stop())

  const open = () => pair.dialer.services.lease.open(pair.connection, HELLO, new FakeWorker(), { signal })

  test('passes on what the worker holds, and says nothing of no change', async () => {
    const client = await open()
    client.tellOperands({ jobId: JOB, added: [], dropped: [] })
    client.tellOperands({ jobId: JOB, added: [7, 300], dropped: [1] })
    await submitter.toldOperands.promise
    expect(submitter.operandChanges).toEqual([{ jobId: JOB, added: [7, 300], dropped: [1] }])
  })

  test('tells its caller of too many changes, and goes on', async () => {
    const client = await open()
    const added = count(OPERAND_CHANGES_MAX + 1, (index) => index)
    expect(() => client.tellOperands({ jobId: JOB, added, dropped: [] })).toThrow(malformed)
    expect((await client.claim({ jobId: JOB, count: 1 }, { signal })).grants).toHaveLength(1)
  })

  test('that is over is told nothing', async () => {
    const client = await open()
    await client.close()
    await submitter.closed.promise
    client.tellOperands({ jobId: JOB, added: [1], dropped: [] })
    expect(submitter.operandChanges).toEqual([])
  })

  test('brings grants with their operands and holders', async () => {
    const shared = operand(2, { holders: [peer(1), peer(2)] })
    const grants = [1, 2].map((at) => ({ ...grant(at), operands: [operand(at + 2), shared] }))
    submitter.onClaim = async () => ({ grants, retryAfterMs: 0 })
    const client = await open()
    expect((await client.claim({ jobId: JOB, count: 2 }, { signal })).grants).toEqual(grants)
  })

  test('ends when the submitter grants more operands than an answer may hold', async () => {
    const operands = count(OPERANDS_PER_GRANT_MAX, (index) => operand(index))
    submitter.onClaim = async () => ({
      grants: count(4, (at) => ({ ...grant(at + 1), operands })),
      retryAfterMs: 0
    })
    const client = await open()
    await expect(client.claim({ jobId: JOB, count: 4 }, { signal })).rejects.toMatchObject({ code: 'STREAM_ENDED' })
  })
})
