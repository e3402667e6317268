import { describe, expect, test, vi } from 'vitest'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import { BufferPool } from '../../src/domain/buffer-pool.ts'
import { SwarmError } from '../../src/errors.ts'
import { ChunkSource, rangesOf } from '../../src/submitter/chunk-source.ts'
import { invert } from '../../src/tasks/invert/invert.ts'
import { FakeCompute, sha256 } from '../support/fake-compute.ts'

const file = Uint8Array.from({ length: 256 }, (_, index) => index)
const chunk = { chunkIndex: 1, inputOffset: 64, inputBytes: 64, outputOffset: 128, outputBytes: 64 }
const call = { kind: 'invert', params: new Uint8Array(0), reverse: true }
const { signal } = new AbortController()

async function make() {
  const compute = new FakeCompute(file)
  const source = new ChunkSource(rangesOf('/in.raw'), call, compute, new BufferPool(0))
  const [prepared] = await source.prepare('ada', [{ leaseNumber: 7, chunk }], { signal })
  return { compute, source, hash: prepared?.inputHash }
}

describe('the source of chunks', () => {
  test('serves the ranges of a prepared chunk, and its hash', async () => {
    const { source, hash } = await make()
    expect(hash).toEqual(sha256(file.slice(64, 128)))
    expect(source.read('ada', { leaseNumber: 7, offset: 0, byteLength: 16 })).toEqual(file.slice(64, 80))
    expect(source.read('ada', { leaseNumber: 7, offset: 16, byteLength: 48 })).toEqual(file.slice(80, 128))
  })

  test('serves nobody else, and nothing that is dropped', async () => {
    const { source } = await make()
    const range = { leaseNumber: 7, offset: 0, byteLength: 1 }
    const unknown = expect.objectContaining({ code: 'REFUSED', refusal: RefusalCode.unknownLease })
    expect(() => source.read('eve', range)).toThrow(unknown)
    expect(() => source.read('ada', { ...range, leaseNumber: 8 })).toThrow(unknown)
    source.drop(7)
    expect(() => source.read('ada', range)).toThrow(unknown)
  })

  test('hands the input over once, to its holder alone', async () => {
    const { source, hash } = await make()
    expect(source.take(7, 'eve')).toBeUndefined()
    expect(source.take(7, 'ada')).toMatchObject({ inputBytes: 64, inputHash: hash })
    expect(source.take(7, 'ada')).toBeUndefined()
  })

  test('hands over the very buffer that was pulled whole or not at all, else another', async () => {
    const untouched = (await make()).source
    expect(untouched.take(7, 'ada')?.buffer?.byteLength).toBeGreaterThanOrEqual(64)
    const whole = (await make()).source
    const bytes = whole.read('ada', { leaseNumber: 7, offset: 0, byteLength: 64 })
    expect(whole.take(7, 'ada')?.buffer).toBe(bytes.buffer)
    const part = (await make()).source
    const half = part.read('ada', { leaseNumber: 7, offset: 0, byteLength: 32 })
    expect(part.take(7, 'ada')).toMatchObject({ inputBytes: 64 })
    expect(part.take(7, 'ada')?.buffer).toBeUndefined()
    expect(half).toEqual(file.slice(64, 96))
  })

  test('gives memory back once the stream has read all of a chunk, and serves no more of it', async () => {
    const pool = new BufferPool(1e6)
    const source = new ChunkSource(rangesOf('/in.raw'), call, new FakeCompute(file), pool)
    const [prepared] = await source.prepare('ada', [{ leaseNumber: 7, chunk }], { signal })
    const ranges = [0, 32].map((offset) => ({ leaseNumber: 7, offset, byteLength: 32 }))
    const views = ranges.map((range) => source.read('ada', range))
    const given = vi.spyOn(pool, 'give')
    for (const range of ranges) {
      expect(given).not.toHaveBeenCalled()
      source.onRead('eve', range)
      source.onRead('ada', range)
    }
    expect(given.mock.calls).toEqual([[views[0]?.buffer]])
    expect(() => source.read('ada', { leaseNumber: 7, offset: 0, byteLength: 1 })).toThrow(/pulls more than/)
    source.onRead('ada', { leaseNumber: 7, offset: 0, byteLength: 32 })
    expect(given).toHaveBeenCalledTimes(1)
    expect(source.take(7, 'ada')).toEqual({ inputBytes: 64, inputHash: prepared?.inputHash })
  })

  test('has results checked as a whole until two of their peer have passed', async () => {
    const { compute, source } = await make()
    const checks = vi.spyOn(compute, 'checkResult')
    const inputHash = sha256(file.slice(64, 128))
    const honest = invert.run(file.slice(64, 128), call)
    const check = (peerId: string, result: Uint8Array) =>
      source.check(
        { chunk, peerId, inputHash, outputHash: sha256(result), buffer: result.slice().buffer as ArrayBuffer },
        { signal }
      )
    const whole = () => checks.mock.lastCall?.[0].whole
    for (const wanted of [true, true, false]) {
      await check('ada', honest)
      expect(whole()).toBe(wanted)
    }
    await check('eve', file.slice(0, 64))
    await check('eve', honest)
    await check('eve', honest)
    expect(whole()).toBe(true)
    await check('eve', honest)
    expect(whole()).toBe(false)
  })

  test('passes on that the input cannot be read, and serves nothing of it', async () => {
    const { compute, source } = await make()
    compute.failures.set('readInputs', new SwarmError('INPUT_UNREADABLE', 'gone'))
    await expect(source.prepare('ada', [{ leaseNumber: 8, chunk }], { signal })).rejects.toMatchObject({
      code: 'INPUT_UNREADABLE'
    })
    expect(source.take(8, 'ada')).toBeUndefined()
  })
})
