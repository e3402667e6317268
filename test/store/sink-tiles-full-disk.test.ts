import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { matrixChunks, matrixFile, planOf, randomMatrix, resumeWith } from './sink-matrix.ts'
import { makeSealing, open, put, sealedBytes, signal } from './sink-support.ts'

const disk = mkdtempSync(join(tmpdir(), 'swarm-disk-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'swarm-test', disk]).status === 0
const plan = planOf(400, 500, 100, 130)
const matrix = randomMatrix(plan)
const chunks = matrixChunks(plan, matrix, [2, 1])
const options = { fileName: 'result.npy', outputBytes: matrix.byteLength, tiles: plan }

afterAll(() => {
  if (mounted) spawnSync('umount', [disk])
  rmdirSync(disk)
})

function fill(bytes: number): string {
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, new Uint8Array(bytes))
  return ballast
}

test.runIf(mounted).each([
  ['while it places tiles', undefined, 1_600_000],
  ['while it seals', makeSealing(), 900_000]
])('waits for room on a full disk and goes on: %s', async (_, sealAfter, ballastBytes) => {
  const outDir = join(disk, 'out')
  const ballast = fill(ballastBytes)
  const stalls: boolean[] = []
  const onStall = (full: boolean): void => {
    stalls.push(full)
    if (full) rmSync(ballast)
  }
  const { sink } = await open({ ...options, outDir, onStall, ...(sealAfter && { sealAfter }) })
  await Promise.all(chunks.map((chunk) => put(sink, chunk)))
  expect(stalls).toEqual(sealAfter === undefined ? [true, false] : [])
  await sink.finish({ signal })
  expect(stalls).toEqual([true, false])
  const plain = matrixFile(plan, matrix)
  const expected = sealAfter === undefined ? plain : sealedBytes(plain, sealAfter)
  expect(Buffer.compare(readFileSync((await sink.publish()).result), expected)).toBe(0)
  rmSync(outDir, { recursive: true })
})

test.runIf(mounted).each([false, true])(
  'stops while it waits for room to seal, at once (discards: %s)',
  async (discard) => {
    const outDir = join(disk, 'out-stopped')
    const ballast = fill(900_000)
    const full = Promise.withResolvers<void>()
    const sealAfter = makeSealing()
    const { sink } = await open({ ...options, outDir, sealAfter, onStall: () => full.resolve() })
    await Promise.all(chunks.map((chunk) => put(sink, chunk)))
    const finishing = expect(sink.finish({ signal })).rejects.toMatchObject({ code: 'OUTPUT_STOPPED' })
    await full.promise
    await sink.abort({ discard })
    await finishing
    rmSync(ballast)
    const resume = resumeWith(chunks)
    const again = await open({ ...options, outDir, sealAfter, resume })
    expect(again.standing).toHaveLength(discard ? 0 : chunks.length)
    if (discard) await Promise.all(chunks.map((chunk) => put(again.sink, chunk)))
    await again.sink.finish({ signal })
    const expected = sealedBytes(matrixFile(plan, matrix), sealAfter)
    expect(Buffer.compare(readFileSync((await again.sink.publish()).result), expected)).toBe(0)
    rmSync(outDir, { recursive: true })
  }
)
