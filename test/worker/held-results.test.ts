import { describe, expect, test } from 'vitest'
import { HELD_RESULTS_MAX } from '../../protocols/lease/constants.ts'
import { HELD_BYTES_MAX, HELD_RESULT_MS, HeldResults } from '../../src/worker/held-results.ts'
import { JOB_ID } from './fake-submitter.ts'

function result(chunkIndex: number, changes: { byteLength?: number; heldSinceMs?: number; submitter?: string } = {}) {
  const { byteLength = 1024, heldSinceMs = 0, submitter = 'sub' } = changes
  const outputHash = new Uint8Array(32)
  const held = { buffer: new ArrayBuffer(byteLength), resultBytes: byteLength, outputHash, computeMs: 5, heldSinceMs }
  return { ...held, jobId: JOB_ID, chunkIndex, epoch: 2, submitter }
}

describe('held results', () => {
  test('are listed for their submitter alone', () => {
    const held = new HeldResults()
    held.keep(result(3))
    held.keep(result(4, { submitter: 'other' }))
    expect(held.list('sub', 0)).toEqual([{ jobId: JOB_ID, chunkIndex: 3, epoch: 2, resultBytes: 1024 }])
  })

  test('are handed over once', () => {
    const held = new HeldResults()
    const kept = result(3)
    held.keep(kept)
    expect(held.take('other', JOB_ID, 3)).toBeUndefined()
    expect(held.take('sub', JOB_ID, 3)?.buffer).toBe(kept.buffer)
    expect(held.take('sub', JOB_ID, 3)).toBeUndefined()
    expect(held.list('sub', 0)).toEqual([])
  })

  test('are let go after ten minutes', () => {
    const held = new HeldResults()
    held.keep(result(1))
    held.keep(result(2, { heldSinceMs: 1_000 }))
    expect(held.list('sub', HELD_RESULT_MS)).toHaveLength(2)
    expect(held.list('sub', HELD_RESULT_MS + 1).map(({ chunkIndex }) => chunkIndex)).toEqual([2])
    expect(HELD_RESULT_MS).toBe(600_000)
  })

  test('go oldest first when they are too many bytes', () => {
    const held = new HeldResults()
    const byteLength = HELD_BYTES_MAX / 4
    for (let chunkIndex = 0; chunkIndex < 6; chunkIndex++) held.keep(result(chunkIndex, { byteLength }))
    expect(held.list('sub', 0).map(({ chunkIndex }) => chunkIndex)).toEqual([2, 3, 4, 5])
  })

  test('count again what was handed over or replaced as room', () => {
    const held = new HeldResults()
    const byteLength = HELD_BYTES_MAX / 2
    held.keep(result(0, { byteLength }))
    held.keep(result(1, { byteLength }))
    held.take('sub', JOB_ID, 0)
    held.keep(result(1, { byteLength }))
    held.keep(result(2, { byteLength }))
    expect(held.list('sub', 0).map(({ chunkIndex }) => chunkIndex)).toEqual([1, 2])
  })

  test('are never more than one hello may name, or no link could be opened again', () => {
    const held = new HeldResults()
    for (let chunkIndex = 0; chunkIndex < HELD_RESULTS_MAX + 9; chunkIndex++) held.keep(result(chunkIndex))
    expect(held.list('sub', 0)).toHaveLength(HELD_RESULTS_MAX)
  })
})
