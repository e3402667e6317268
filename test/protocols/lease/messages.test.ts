import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SubmitterMessage as SubmitterCodec, WorkerMessage as WorkerCodec } from '../../../protocols/lease/pb/lease.ts'
import { encodeSubmitterMessage, parseSubmitterMessage } from '../../../protocols/lease/submitter-messages.ts'
import { encodeWorkerMessage, parseWorkerMessage } from '../../../protocols/lease/worker-messages.ts'
import { WireError } from '../../../protocols/wire/wire-error.ts'
import { grant, HELLO, JOB } from './lease-fixtures.ts'

interface Vector<Message> {
  readonly message: Message
  readonly bytes: string
}

const vectors = JSON.parse(readFileSync(new URL('../../vectors/lease.json', import.meta.url), 'utf8'), revive) as {
  worker: Vector<Parameters<typeof encodeWorkerMessage>[0]>[]
  submitter: Vector<Parameters<typeof encodeSubmitterMessage>[0]>[]
}

function revive(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('hex' in value)) return value
  return Uint8Array.from(Buffer.from(String(value.hex), 'hex'))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

describe('golden vectors', () => {
  test.each(vectors.worker)('of the worker: $message.type', ({ message, bytes }) => {
    expect(hex(encodeWorkerMessage(message))).toBe(bytes)
    expect(parseWorkerMessage(bytesOf(bytes))).toEqual(message)
  })

  test.each(vectors.submitter)('of the submitter: $message.type', ({ message, bytes }) => {
    expect(hex(encodeSubmitterMessage(message))).toBe(bytes)
    expect(parseSubmitterMessage(bytesOf(bytes))).toEqual(message)
  })
})

const malformed = expect.objectContaining({ name: 'WireError', code: 'MESSAGE_MALFORMED' })
const claim = { requestId: 1, jobId: JOB, count: 1 }
const hello = { ...HELLO, kernelIds: [...HELLO.kernelIds], held: [...HELLO.held] }
const lots = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1)

describe('a submitter refuses', () => {
  test.each<[string, Parameters<typeof WorkerCodec.encode>[0]]>([
    ['a message without a body', {}],
    ['two bodies in one message', { claim, heartbeat: { requestId: 1, leaseNumbers: [], progress: [] } }],
    ['a claim for no chunks', { claim: { ...claim, count: 0 } }],
    ['a claim for more chunks than allowed', { claim: { ...claim, count: 33 } }],
    ['a claim without a number', { claim: { ...claim, requestId: 0 } }],
    ['a claim for what is no job id', { claim: { ...claim, jobId: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' } }],
    ['a heartbeat with fewer progresses than leases', { heartbeat: { requestId: 1, leaseNumbers: [1], progress: [] } }],
    ['a heartbeat with lease 0', { heartbeat: { requestId: 1, leaseNumbers: [0], progress: [1] } }],
    ['a heartbeat with too many leases', { heartbeat: { requestId: 1, leaseNumbers: lots(257), progress: lots(257) } }],
    ['a release without a known reason', { release: { leaseNumbers: [1], reason: 7 } }],
    ['a release of too many leases', { release: { leaseNumbers: lots(257), reason: 1 } }],
    ['a hello without a name', { hello: { ...hello, name: '' } }],
    ['a name that is too long', { hello: { ...hello, name: 'ö'.repeat(32) } }],
    ['a name that drives the terminal', { hello: { ...hello, name: 'a\u001b[2J' } }],
    ['a worker without threads', { hello: { ...hello, threads: 0 } }],
    ['too many kernels', { hello: { ...hello, kernelIds: lots(65).map(String) } }],
    ['an empty kernel id', { hello: { ...hello, kernelIds: [''] } }],
    [
      'too many held results',
      {
        hello: {
          ...hello,
          held: lots(257)
            .map(() => hello.held[0])
            .filter((one) => !!one)
        }
      }
    ]
  ])('%s', (_name, message) => {
    expect(() => parseWorkerMessage(WorkerCodec.encode(message))).toThrow(malformed)
  })
})

const answer = { requestId: 1, grants: [], refusal: 0, retryAfterMs: 0, peers: [] }

describe('a worker refuses', () => {
  test.each<[string, Parameters<typeof SubmitterCodec.encode>[0]]>([
    ['a message without a body', {}],
    ['an answer without grants or a refusal', { claimAnswer: answer }],
    ['an unknown refusal', { claimAnswer: { ...answer, refusal: 99 } }],
    ['an endless wait', { claimAnswer: { ...answer, refusal: 5, retryAfterMs: 4_000_000_000 } }],
    ['lease 0', { revoked: { leaseNumbers: [0], reason: 3 } }],
    ['a revocation without a known reason', { revoked: { leaseNumbers: [1], reason: 0 } }],
    ['a wake for what is no job id', { wake: { jobId: 'short' } }]
  ])('%s', (_name, message) => {
    expect(() => parseSubmitterMessage(SubmitterCodec.encode(message))).toThrow(malformed)
  })

  test.each([
    ['a short input hash', { inputHash: new Uint8Array(31) }],
    ['epoch 0', { epoch: 0 }],
    ['an empty chunk', { inputBytes: 0 }],
    ['no time to live', { ttlMs: 0 }]
  ])('a grant with %s', (_name, change) => {
    const grants = [{ ...grant(1), ...change }]
    const bytes = SubmitterCodec.encode({ claimAnswer: { ...answer, grants: grants as never } })
    expect(() => parseSubmitterMessage(bytes)).toThrow(malformed)
  })
})

test('random bytes are parsed or refused as malformed, never anything else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const parse of [parseWorkerMessage, parseSubmitterMessage]) {
        try {
          parse(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }
    })
  )
})

test('a heartbeat of any leases comes back as it was', () => {
  const progress = fc.record({
    leaseNumber: fc.integer({ min: 1, max: 0xffff_ffff }),
    progress: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
  })
  fc.assert(
    fc.property(fc.array(progress, { maxLength: 256 }), (leases) => {
      const message = { type: 'heartbeat', requestId: 1, progress: leases } as const
      expect(parseWorkerMessage(encodeWorkerMessage(message))).toEqual(message)
    })
  )
})
