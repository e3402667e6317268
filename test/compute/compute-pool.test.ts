import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { KernelPool } from '../../src/compute/compute-pool.ts'
import { contentHash } from '../../src/content-hash.ts'
import type { ComputePool } from '../../src/domain/compute.ts'
import { invert } from '../../src/tasks/invert/invert.ts'

const BYTES = 1_000_004
const call = { kind: 'invert', params: new Uint8Array(0), reverse: true }
const { signal } = new AbortController()
const content = new Uint8Array(randomBytes(BYTES))
let folder = ''
let path = ''
const pool = new KernelPool(2)
const compute: ComputePool = pool

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'swarm-compute-'))
  path = join(folder, 'input.f32')
  await writeFile(path, content)
})

afterAll(async () => {
  await pool.close()
  await rm(folder, { recursive: true })
})

function inverted(offset: number, byteLength: number): Uint8Array {
  return invert.run(content.slice(offset, offset + byteLength), call)
}

function bufferOf(bytes: Uint8Array, capacity = bytes.byteLength): ArrayBuffer {
  const buffer = new ArrayBuffer(capacity)
  new Uint8Array(buffer).set(bytes)
  return buffer
}

function kernelRequest(changes: object = {}) {
  const bytes = content.slice(0, 400_000)
  const progress = new Int32Array(new SharedArrayBuffer(4))
  const request = {
    call,
    buffer: bufferOf(bytes, 524_288),
    byteLength: bytes.byteLength,
    inputHash: contentHash(bytes),
    progress
  }
  return { ...request, ...changes }
}

function checkRequest(result: Uint8Array, changes: object = {}) {
  const request = {
    call,
    input: [{ path, offset: 4, byteLength: 600_000 }],
    whole: false,
    inputHash: contentHash(content.subarray(4, 600_004)),
    buffer: bufferOf(result, 700_000),
    resultBytes: result.byteLength,
    outputHash: contentHash(result)
  }
  return { ...request, ...changes }
}

function inputOf(file: string) {
  return { input: [{ path: file, offset: 4, byteLength: 600_000 }] }
}

describe('reading input', () => {
  test('joins parts of files and bytes that are made', async () => {
    const made = Uint8Array.of(1, 2, 3)
    const parts = [
      { bytes: made },
      { path, offset: 5, byteLength: 300_000 },
      { bytes: made },
      { path, offset: 0, byteLength: 2 }
    ]
    const [read] = await compute.readInputs({ inputs: [{ parts, buffer: new ArrayBuffer(400_000) }] }, { signal })
    const expected = Buffer.concat([made, content.subarray(5, 300_005), made, content.subarray(0, 2)])
    expect(Buffer.compare(new Uint8Array(read?.buffer ?? new ArrayBuffer(0), 0, 300_008), expected)).toBe(0)
    expect(Buffer.compare(read?.inputHash ?? made, contentHash(expected))).toBe(0)
  })

  test('fills the buffer, hashes the range, and gives the same memory back', async () => {
    const buffer = new ArrayBuffer(524_288)
    const ranges = [
      { offset: 8, byteLength: 400_000, buffer },
      { offset: 0, byteLength: 4, buffer: new ArrayBuffer(64) }
    ]
    const inputs = ranges.map(({ buffer: own, ...range }) => ({ parts: [{ path, ...range }], buffer: own }))
    const read = await compute.readInputs({ inputs }, { signal })
    expect(buffer.detached).toBe(true)
    expect(read.map((each) => each.buffer.byteLength)).toEqual([524_288, 64])
    for (const [index, { offset, byteLength }] of ranges.entries()) {
      const expected = content.subarray(offset, offset + byteLength)
      expect(Buffer.compare(new Uint8Array(read[index]?.buffer ?? buffer, 0, byteLength), expected)).toBe(0)
      expect(Buffer.compare(read[index]?.inputHash ?? expected, contentHash(expected))).toBe(0)
    }
  })

  test('refuses a range past the end', async () => {
    const request = { inputs: [{ parts: [{ path, offset: BYTES - 4, byteLength: 8 }], buffer: new ArrayBuffer(8) }] }
    await expect(compute.readInputs(request, { signal })).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
  })

  test('refuses a file that is gone', async () => {
    const parts = [{ path: join(folder, 'gone'), offset: 0, byteLength: 8 }]
    const request = { inputs: [{ parts, buffer: new ArrayBuffer(8) }] }
    await expect(compute.readInputs(request, { signal })).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
  })
})

describe('running a kernel', () => {
  test('computes, hashes the result and advances the progress counter', async () => {
    const request = kernelRequest()
    const ran = await compute.runKernel(request, { signal })
    const result = new Uint8Array(ran.buffer, 0, ran.byteLength)
    expect(Buffer.compare(result, inverted(0, 400_000))).toBe(0)
    expect(Buffer.compare(ran.outputHash, contentHash(result))).toBe(0)
    expect(ran.buffer.byteLength).toBe(524_288)
    expect(ran.computeMs).toBeGreaterThan(0)
    expect(Atomics.load(request.progress, 0)).toBe(400_000 >> 10)
  })

  test('refuses input with another hash', async () => {
    const request = kernelRequest({ inputHash: new Uint8Array(32) })
    await expect(compute.runKernel(request, { signal })).rejects.toMatchObject({ code: 'INPUT_MISMATCH' })
  })

  test('fails on parameters that the kernel refuses', async () => {
    const request = kernelRequest({ call: { ...call, params: Uint8Array.of(1) } })
    await expect(compute.runKernel(request, { signal })).rejects.toMatchObject({ code: 'KERNEL_FAILED' })
  })

  test('runs nothing that is not in the registry', async () => {
    const request = kernelRequest({ call: { ...call, kind: 'node:fs' } })
    await expect(compute.runKernel(request, { signal })).rejects.toMatchObject({ code: 'KERNEL_FAILED' })
  })

  test('rejects at once with the reason of an abort, and goes on with the next', async () => {
    const stop = new AbortController()
    const running = compute.runKernel(kernelRequest(), { signal: stop.signal })
    stop.abort(new Error('lease lost'))
    await expect(running).rejects.toThrow('lease lost')
    await expect(compute.runKernel(kernelRequest(), { signal: stop.signal })).rejects.toThrow('lease lost')
    await expect(compute.runKernel(kernelRequest(), { signal })).resolves.toMatchObject({ byteLength: 400_000 })
  })

  test('runs more operations at once than it has threads', async () => {
    const running = Array.from({ length: 20 }, () => compute.runKernel(kernelRequest(), { signal }))
    for (const ran of await Promise.all(running)) expect(ran.byteLength).toBe(400_000)
  })
})

describe('running locally', () => {
  test('reads and computes a range', async () => {
    const buffer = new ArrayBuffer(262_144)
    const input = [{ path, offset: 12, byteLength: 200_000 }]
    const ran = await compute.runLocal({ call, input, buffer }, { signal })
    expect(Buffer.compare(new Uint8Array(ran.buffer, 0, ran.byteLength), inverted(12, 200_000))).toBe(0)
  })

  test('says when the file cannot be read', async () => {
    const input = [{ path: folder, offset: 0, byteLength: 8 }]
    const request = { call, input, buffer: new ArrayBuffer(8) }
    await expect(compute.runLocal(request, { signal })).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
  })
})

describe('checking a result', () => {
  test.each([true, false])('passes a true one (reversed: %s)', async (reverse) => {
    const result = invert.run(content.slice(4, 600_004), { ...call, reverse })
    const checked = await compute.checkResult(checkRequest(result, { call: { ...call, reverse } }), { signal })
    expect(checked.verdict).toBe('passed')
    expect(Buffer.compare(new Uint8Array(checked.buffer, 0, 600_000), result)).toBe(0)
  })

  test('refuses one without the claimed hash', async () => {
    const request = checkRequest(inverted(4, 600_000), { outputHash: new Uint8Array(32) })
    expect(await pool.checkResult(request, { signal })).toMatchObject({ verdict: 'refused', proof: false })
  })

  test.each([0, 299_999, 599_999])('proves one with a wrong byte %i false', async (index) => {
    const result = inverted(4, 600_000)
    result[index] = (result[index] ?? 0) ^ 1
    expect(await pool.checkResult(checkRequest(result), { signal })).toMatchObject({ verdict: 'refused', proof: true })
  })

  test('refuses one that is too short', async () => {
    const request = checkRequest(inverted(4, 599_996))
    expect(await pool.checkResult(request, { signal })).toMatchObject({ verdict: 'refused', proof: true })
  })

  test('blames the file, not the peer, when the file has changed', async () => {
    const request = checkRequest(inverted(8, 600_000), { inputHash: contentHash(content.subarray(8, 600_008)) })
    expect(await compute.checkResult(request, { signal })).toMatchObject({ verdict: 'input-changed' })
  })

  test('blames the file when it was cut', async () => {
    const cut = join(folder, 'cut.f32')
    await writeFile(cut, content)
    await truncate(cut, 300_000)
    const request = checkRequest(inverted(4, 600_000), inputOf(cut))
    expect(await compute.checkResult(request, { signal })).toMatchObject({ verdict: 'input-changed' })
  })

  test('says when the file cannot be read', async () => {
    const request = checkRequest(inverted(4, 600_000), inputOf(join(folder, 'gone')))
    await expect(compute.checkResult(request, { signal })).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' })
  })
})

test('refuses work once closed', async () => {
  const other = new KernelPool(1)
  await other.close()
  await expect(other.runKernel(kernelRequest(), { signal })).rejects.toMatchObject({ code: 'COMPUTE_CLOSED' })
})

test('ends a kernel that goes on after an abort, and works with a fresh thread', async () => {
  const impatient = new KernelPool(1, { abortGraceMs: 0 })
  const warm = await impatient.runKernel(kernelRequest(), { signal })
  expect(warm.byteLength).toBe(400_000)
  const stop = new AbortController()
  const bytes = new Uint8Array(256 * 1024 * 1024)
  const progress = new Int32Array(new SharedArrayBuffer(4))
  const long = { call, buffer: bytes.buffer, byteLength: bytes.byteLength, inputHash: new Uint8Array(32), progress }
  const running = impatient.runKernel(long, { signal: stop.signal })
  const next = impatient.runKernel(kernelRequest(), { signal })
  stop.abort(new Error('lease lost'))
  await expect(running).rejects.toThrow('lease lost')
  expect((await next).byteLength).toBe(400_000)
  await impatient.close()
})
