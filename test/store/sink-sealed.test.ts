import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { OpenSink, ResultSink } from '../../src/domain/result-sink.ts'
import { openSink } from '../../src/store/sink.ts'
import { cut, durable, makeFolder, makeSealing, open, put, sealedBytes, signal, tagOf } from './sink-support.ts'

// The store may not import the submitter's contract; here it is held against it.
const contract: OpenSink = openSink
const hasOpenssl = spawnSync('openssl', ['version']).status === 0

function onlyPartial(folder: string): string {
  const partials = readdirSync(folder).filter((name) => name.endsWith('.partial'))
  expect(partials).toHaveLength(1)
  return join(folder, partials[0] ?? '')
}

describe('sealing', () => {
  test('gives the bytes and tag of the one-shot cipher, whatever the cuts and their order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 3000 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.nat()),
        async (plain, lengths, random) => {
          const outDir = makeFolder()
          const sealing = makeSealing()
          const { sink } = await open({ outDir, outputBytes: plain.byteLength, sealing })
          const order = cut(plain, lengths)
            .map((chunk) => ({ chunk, rank: random.next().value }))
            .sort((left, right) => left.rank - right.rank)
          await Promise.all(order.map(({ chunk }) => put(sink, chunk)))
          const finished = await sink.finish({ signal })
          const { result } = await sink.publish()
          const expected = sealedBytes(plain, sealing)
          expect(Buffer.compare(readFileSync(result), expected)).toBe(0)
          expect(finished.outputBytes).toBe(plain.byteLength)
          expect(Buffer.compare(finished.hmac ?? new Uint8Array(0), tagOf(expected, sealing))).toBe(0)
        }
      ),
      { numRuns: 4 }
    )
  })

  test('publishes key, IV, tag and result under their names, the key for its owner only', async () => {
    const outDir = makeFolder()
    const sealing = makeSealing()
    const sink: ResultSink = (await open({ outDir, outputBytes: 8, sealing })).sink
    const buffer = new ArrayBuffer(8)
    await sink.put({ chunkIndex: 0, outputOffset: 0, byteLength: 8 }, buffer, { signal })
    const { hmac } = await sink.finish({ signal })
    expect(readdirSync(outDir).every((name) => name.startsWith('.'))).toBe(true)
    const paths = await sink.publish()
    expect(readdirSync(outDir).sort()).toEqual(
      ['encryption_iv.bin', 'encryption_key.bin', 'result.f32.enc', 'result.f32.enc.hmac'].sort()
    )
    expect(statSync(paths.key ?? '').mode & 0o777).toBe(0o600)
    expect(Buffer.compare(readFileSync(paths.key ?? ''), sealing.key)).toBe(0)
    expect(Buffer.compare(readFileSync(paths.iv ?? ''), sealing.iv)).toBe(0)
    expect(Buffer.compare(readFileSync(paths.hmac ?? ''), hmac ?? new Uint8Array(0))).toBe(0)
  })

  test.runIf(hasOpenssl)('is opened by openssl', async () => {
    const outDir = makeFolder()
    const sealing = makeSealing()
    const plain = new Uint8Array(randomBytes(300_004))
    const { sink } = await open({ outDir, outputBytes: plain.byteLength, sealing })
    await Promise.all(cut(plain, [65_540, 99_996]).map((chunk) => put(sink, chunk)))
    await sink.finish({ signal })
    const { result } = await sink.publish()
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
    const args = ['enc', '-d', '-aes-256-cbc', '-in', result, '-K', hex(sealing.key), '-iv', hex(sealing.iv)]
    expect(Buffer.compare(execFileSync('openssl', args), plain)).toBe(0)
  })

  test('gives buffers back whole, for reuse', async () => {
    const { sink } = await open({ outDir: makeFolder(), outputBytes: 100, sealing: makeSealing() })
    const [chunk] = cut(new Uint8Array(100), [100])
    expect((await put(sink, chunk ?? { chunkIndex: 0, outputOffset: 0, bytes: new Uint8Array(0) })).byteLength).toBe(
      124
    )
  })

  test('reports every chunk durable once, with rising checkpoints, and ends', async () => {
    const plain = new Uint8Array(randomBytes(1000))
    const { sink } = await open({ outDir: makeFolder(), outputBytes: 1000, sealing: makeSealing() })
    const reading = durable(sink, Number.POSITIVE_INFINITY)
    await Promise.all(cut(plain, [100]).map((chunk) => put(sink, chunk)))
    await sink.finish({ signal })
    const batches = await reading
    expect(batches.flatMap((batch) => batch.chunkIndexes)).toEqual(Array.from({ length: 10 }, (_, index) => index))
    expect(batches.at(-1)?.checkpoint).toMatchObject({ chunkCount: 10, plainBytes: 1000, fileBytes: 992 })
    expect(batches.at(-1)?.checkpoint.tail).toHaveLength(8)
  })
})

describe('resuming', () => {
  test('goes on from any checkpoint and gives the same bytes', async () => {
    const lengths = [40, 4, 100, 8, 12, 16]
    const plain = new Uint8Array(randomBytes(404))
    const sealing = makeSealing()
    const expected = sealedBytes(plain, sealing)
    const chunks = cut(plain, lengths)
    for (let stopAt = 1; stopAt <= chunks.length; stopAt++) {
      const outDir = makeFolder()
      const first = await open({ outDir, outputBytes: plain.byteLength, sealing })
      const reading = durable(first.sink, stopAt)
      await Promise.all(chunks.slice(0, stopAt).map((chunk) => put(first.sink, chunk)))
      const checkpoint = (await reading).at(-1)?.checkpoint
      await first.sink.abort({ discard: false })
      if (checkpoint === undefined) throw new Error('no checkpoint')
      // A crash may leave more in the file than the checkpoint covers.
      writeFileSync(onlyPartial(outDir), 'half a block', { flag: 'a' })
      const second = await open({ outDir, outputBytes: plain.byteLength, sealing, resume: { checkpoint, chunks: [] } })
      expect(second.standing).toEqual(chunks.slice(0, stopAt).map(({ chunkIndex }) => chunkIndex))
      await Promise.all(chunks.slice(stopAt).map((chunk) => put(second.sink, chunk)))
      const { hmac } = await second.sink.finish({ signal })
      const { result } = await second.sink.publish()
      expect(Buffer.compare(readFileSync(result), expected)).toBe(0)
      expect(Buffer.compare(hmac ?? new Uint8Array(0), tagOf(expected, sealing))).toBe(0)
    }
  })

  async function stopped(outDir: string, sealing: ReturnType<typeof makeSealing>) {
    const { sink } = await open({ outDir, outputBytes: 320, sealing })
    const reading = durable(sink, 1)
    const [chunk, next] = cut(new Uint8Array(randomBytes(320)), [160])
    if (chunk === undefined || next === undefined) throw new Error('two chunks expected')
    await put(sink, chunk)
    const checkpoint = (await reading)[0]?.checkpoint
    if (checkpoint === undefined) throw new Error('no checkpoint')
    await sink.abort({ discard: false })
    return { checkpoint, chunks: [], partial: onlyPartial(outDir), first: chunk, next }
  }

  test.each([
    ['a byte was changed', (path: string) => writeFileSync(path, Buffer.alloc(1), { flag: 'r+' })],
    ['it was cut', (path: string) => truncateSync(path, 144)]
  ])('starts anew when the partial file does not match: %s', async (_, damage) => {
    const outDir = makeFolder()
    const sealing = makeSealing()
    const { first, next, partial, ...resume } = await stopped(outDir, sealing)
    damage(partial)
    const { sink, standing } = await open({ outDir, outputBytes: 320, sealing, resume })
    expect(standing).toEqual([])
    await Promise.all([put(sink, first), put(sink, next)])
    await sink.finish({ signal })
    const { result } = await sink.publish()
    expect(readFileSync(result)).toEqual(sealedBytes(Buffer.concat([first.bytes, next.bytes]), sealing))
  })

  test('starts anew when the partial file is gone or the key is another', async () => {
    const outDir = makeFolder()
    const { checkpoint, chunks } = await stopped(outDir, makeSealing())
    const resume = { checkpoint, chunks }
    expect((await open({ outDir, outputBytes: 320, sealing: makeSealing(), resume })).standing).toEqual([])
  })

  test('takes back a result that was published just before a crash', async () => {
    const outDir = makeFolder()
    const sealing = makeSealing()
    const plain = new Uint8Array(randomBytes(100))
    const first = await open({ outDir, outputBytes: 100, sealing })
    const reading = durable(first.sink, 1)
    await Promise.all(cut(plain, [100]).map((chunk) => put(first.sink, chunk)))
    await first.sink.finish({ signal })
    const { result } = await first.sink.publish()
    const checkpoint = (await reading)[0]?.checkpoint
    if (checkpoint === undefined) throw new Error('no checkpoint')
    const second = await open({ outDir, outputBytes: 100, sealing, resume: { checkpoint, chunks: [] } })
    expect(second.standing).toEqual([0])
    expect(existsSync(result)).toBe(false)
    await second.sink.finish({ signal })
    await second.sink.publish()
    expect(readFileSync(result)).toEqual(sealedBytes(plain, sealing))
  })
})

describe('refusals', () => {
  test('does not overwrite what another job published', async () => {
    const outDir = makeFolder()
    const options = { fileName: 'result.f32', outDir, outputBytes: 4, sealing: makeSealing(), onStall: () => undefined }
    writeFileSync(join(outDir, 'encryption_key.bin'), 'precious')
    await expect(contract(options, { signal })).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
    expect(readFileSync(join(outDir, 'encryption_key.bin'), 'utf8')).toBe('precious')
  })

  test('keeps two jobs apart that write into one folder', async () => {
    const outDir = makeFolder()
    const first = await open({ outDir, outputBytes: 4, sealing: makeSealing() })
    const second = await open({ outDir, outputBytes: 4, sealing: makeSealing() })
    for (const { sink } of [first, second]) {
      await Promise.all(cut(new Uint8Array(4), [4]).map((chunk) => put(sink, chunk)))
      await sink.finish({ signal })
    }
    await first.sink.publish()
    await expect(second.sink.publish()).rejects.toMatchObject({ code: 'OUTPUT_EXISTS' })
  })

  test('refuses a chunk twice', async () => {
    const { sink } = await open({ outDir: makeFolder(), outputBytes: 40, sealing: makeSealing() })
    const [chunk] = cut(new Uint8Array(40), [20])
    if (chunk === undefined) throw new Error('a chunk expected')
    await put(sink, chunk)
    await expect(put(sink, chunk)).rejects.toMatchObject({ code: 'OUTPUT_CHUNK_TWICE' })
  })

  test('does not finish while chunks are missing', async () => {
    const { sink } = await open({ outDir: makeFolder(), outputBytes: 40, sealing: makeSealing() })
    await expect(sink.finish({ signal })).rejects.toMatchObject({ code: 'OUTPUT_INCOMPLETE' })
    await expect(sink.publish()).rejects.toMatchObject({ code: 'OUTPUT_INCOMPLETE' })
  })

  test('says when the folder cannot be made', async () => {
    const outDir = join(makeFolder(), 'file', 'below')
    writeFileSync(join(outDir, '..'), 'a file, not a folder')
    const opening = open({ outDir, outputBytes: 4, sealing: makeSealing() })
    await expect(opening).rejects.toMatchObject({ code: 'OUTPUT_WRITE_FAILED' })
  })
})

describe('stopping', () => {
  test('leaves nothing behind when discarded, and ends what waits', async () => {
    const outDir = makeFolder()
    const { sink } = await open({ outDir, outputBytes: 40, sealing: makeSealing() })
    const [, second] = cut(new Uint8Array(40), [20])
    if (second === undefined) throw new Error('two chunks expected')
    const outOfTurn = expect(put(sink, second)).rejects.toMatchObject({ code: 'OUTPUT_STOPPED' })
    await sink.abort({ discard: true })
    await outOfTurn
    expect(await durable(sink, 1)).toEqual([])
    expect(readdirSync(outDir)).toEqual([])
  })

  test('gives up a chunk that waits for its turn when its signal aborts, and takes it later', async () => {
    const { sink } = await open({ outDir: makeFolder(), outputBytes: 40, sealing: makeSealing() })
    const stop = new AbortController()
    const [first, second] = cut(new Uint8Array(40), [20])
    if (first === undefined || second === undefined) throw new Error('two chunks expected')
    const waiting = sink.put({ ...second, byteLength: 20 }, second.bytes.slice().buffer, { signal: stop.signal })
    stop.abort(new Error('peer barred'))
    await expect(waiting).rejects.toThrow('peer barred')
    await Promise.all([put(sink, second), put(sink, first)])
    expect(await sink.finish({ signal })).toMatchObject({ outputBytes: 40 })
  })

  test('opens nothing for a signal that has aborted', async () => {
    const outDir = makeFolder()
    const options = { fileName: 'result.f32', outDir, outputBytes: 4, sealing: makeSealing(), onStall: () => undefined }
    await expect(contract(options, { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
    expect(readdirSync(outDir)).toEqual([])
  })
})
