import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cut, durable, makeSealing, open, put, sealedBytes, signal } from './sink-support.ts'

const disk = mkdtempSync(join(tmpdir(), 'swarm-disk-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'swarm-test', disk]).status === 0

afterAll(() => {
  if (mounted) spawnSync('umount', [disk])
  rmdirSync(disk)
})

test.runIf(mounted).each([true, false])('waits for room on a full disk and goes on (sealed: %s)', async (seal) => {
  const outDir = join(disk, `out-${seal}`)
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, new Uint8Array(1_500_000))
  const plain = new Uint8Array(randomBytes(1_200_000))
  const sealing = seal ? makeSealing() : undefined
  const stalls: boolean[] = []
  const onStall = (full: boolean, path: string): void => {
    expect(path.startsWith(outDir)).toBe(true)
    stalls.push(full)
    if (full) rmSync(ballast)
  }
  const { sink } = await open({ outDir, outputBytes: plain.byteLength, onStall, ...(sealing && { sealing }) })
  await Promise.all(cut(plain, [400_000]).map((chunk) => put(sink, chunk)))
  await sink.finish({ signal })
  const { result } = await sink.publish()
  expect(stalls).toEqual([true, false])
  expect(Buffer.compare(readFileSync(result), sealing === undefined ? plain : sealedBytes(plain, sealing))).toBe(0)
  rmSync(outDir, { recursive: true })
})

test.runIf(mounted)('stops at once while it waits for room', async () => {
  const outDir = join(disk, 'out-stopped')
  const ballast = join(disk, 'ballast')
  writeFileSync(ballast, new Uint8Array(1_500_000))
  const full = Promise.withResolvers<void>()
  const options = { outDir, outputBytes: 1_200_000, sealing: makeSealing(), onStall: () => full.resolve() }
  const { sink } = await open(options)
  const putting = cut(new Uint8Array(1_200_000), [400_000]).map((chunk) =>
    put(sink, chunk).catch((error) => error.code)
  )
  await full.promise
  await sink.abort({ discard: true })
  expect(await Promise.all(putting)).toContain('OUTPUT_STOPPED')
  rmSync(ballast)
  rmSync(outDir, { recursive: true })
})

test.runIf(mounted)(
  'makes durable what was written before the disk was full, so that a resume goes on there',
  async () => {
    const outDir = join(disk, 'out-resumed')
    const ballast = join(disk, 'ballast')
    writeFileSync(ballast, new Uint8Array(1_500_000))
    const plain = new Uint8Array(randomBytes(1_200_004))
    const sealing = makeSealing()
    const chunks = cut(plain, [300_004])
    const first = await open({ outDir, outputBytes: plain.byteLength, sealing })
    const putting = chunks.map((chunk) => put(first.sink, chunk).catch((error) => error.code))
    const checkpoint = (await durable(first.sink, 1)).at(-1)?.checkpoint
    await first.sink.abort({ discard: false })
    await Promise.all(putting)
    rmSync(ballast)
    if (checkpoint === undefined) throw new Error('no checkpoint')
    const second = await open({ outDir, outputBytes: plain.byteLength, sealing, resume: { checkpoint, chunks: [] } })
    expect(second.standing).toEqual([0])
    await Promise.all(chunks.slice(1).map((chunk) => put(second.sink, chunk)))
    await second.sink.finish({ signal })
    const { result } = await second.sink.publish()
    expect(Buffer.compare(readFileSync(result), sealedBytes(plain, sealing))).toBe(0)
  }
)
