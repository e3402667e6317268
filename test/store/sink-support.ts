import { createCipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { DurableBatch, SinkOptions } from '../../src/domain/result-sink.ts'
import { type FileSink, openSink } from '../../src/store/sink.ts'

/** Never aborts. */
export const { signal } = new AbortController()

/** A folder that is removed after the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A key and IV. */
export function makeSealing(): { key: Uint8Array; iv: Uint8Array } {
  return { key: new Uint8Array(randomBytes(32)), iv: new Uint8Array(randomBytes(16)) }
}

/** What a sealed file must hold, by the library's one-shot calls. */
export function sealedBytes(plain: Uint8Array, sealing: { key: Uint8Array; iv: Uint8Array }): Buffer {
  const cipher = createCipheriv('aes-256-cbc', sealing.key, sealing.iv)
  return Buffer.concat([cipher.update(plain), cipher.final()])
}

/** What its tag must be. */
export function tagOf(sealed: Uint8Array, sealing: { key: Uint8Array; iv: Uint8Array }): Buffer {
  const key = new Uint8Array(hkdfSync('sha256', sealing.key, new Uint8Array(0), 'swarm/seal/hmac-sha256/1', 32))
  return createHmac('sha256', key).update(sealing.iv).update(sealed).digest()
}

/** A run of output bytes. */
export interface TestChunk {
  readonly chunkIndex: number
  readonly outputOffset: number
  readonly bytes: Uint8Array
}

/** Cuts bytes into chunks of the given lengths, repeated; the last takes what is left. */
export function cut(bytes: Uint8Array, lengths: readonly number[]): TestChunk[] {
  const chunks: TestChunk[] = []
  let outputOffset = 0
  while (outputOffset < bytes.byteLength) {
    const byteLength = lengths[chunks.length % lengths.length] ?? 1
    chunks.push({
      chunkIndex: chunks.length,
      outputOffset,
      bytes: bytes.slice(outputOffset, outputOffset + byteLength)
    })
    outputOffset += byteLength
  }
  return chunks
}

/** Opens a sink that is ended after the test. */
export async function open(
  options: Omit<SinkOptions, 'fileName' | 'onStall'> & Partial<SinkOptions>
): Promise<{ sink: FileSink; standing: readonly number[] }> {
  const opened = await openSink({ fileName: 'result.f32', onStall: () => undefined, ...options }, { signal })
  onTestFinished(() => opened.sink.abort({ discard: false }))
  return opened
}

/** Puts a chunk in a buffer with room to spare. */
export function put(sink: FileSink, chunk: TestChunk): Promise<ArrayBuffer> {
  const { bytes, chunkIndex, outputOffset } = chunk
  const buffer = new ArrayBuffer(bytes.byteLength + 24)
  new Uint8Array(buffer).set(bytes)
  return sink.put({ chunkIndex, outputOffset, byteLength: bytes.byteLength }, buffer, { signal })
}

/** Reads batches until `chunkCount` chunks are durable. */
export async function durable(sink: FileSink, chunkCount: number): Promise<DurableBatch[]> {
  const batches: DurableBatch[] = []
  let seen = 0
  for await (const batch of sink.durable) {
    batches.push(batch)
    seen += batch.chunkIndexes.length
    if (seen >= chunkCount) break
  }
  return batches
}
