import { expect, test } from 'vitest'
import type { DurableBatch } from '../../src/domain/result-sink.ts'
import { DurableFeed } from '../../src/store/sink-durable.ts'

function batch(...chunkIndexes: number[]): DurableBatch {
  const chunkCount = Math.max(...chunkIndexes) + 1
  const checkpoint = { chunkCount, plainBytes: 0, fileBytes: 0, digest: new Uint8Array(0), tail: new Uint8Array(0) }
  return { chunkIndexes, checkpoint }
}

async function readAll(feed: DurableFeed): Promise<DurableBatch[]> {
  const batches: DurableBatch[] = []
  for await (const one of feed) batches.push(one)
  return batches
}

test('gives batches as they come and ends', async () => {
  const feed = new DurableFeed()
  const iterator = feed[Symbol.asyncIterator]()
  const first = iterator.next()
  feed.push(batch(0))
  expect((await first).value).toEqual(batch(0))
  feed.push(batch(1))
  feed.end()
  expect((await iterator.next()).value).toEqual(batch(1))
  expect((await iterator.next()).done).toBe(true)
})

test('joins batches that were not read in time, with the last checkpoint', async () => {
  const feed = new DurableFeed()
  feed.push(batch(0, 1))
  feed.push(batch(2))
  feed.end()
  expect(await readAll(feed)).toEqual([{ ...batch(2), chunkIndexes: [0, 1, 2] }])
})

test('gives what is durable before the error that ended it', async () => {
  const feed = new DurableFeed()
  const iterator = feed[Symbol.asyncIterator]()
  feed.push(batch(0))
  feed.end(new Error('EIO'))
  expect((await iterator.next()).value).toEqual(batch(0))
  await expect(iterator.next()).rejects.toThrow('EIO')
})
