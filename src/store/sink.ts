import { mkdir, rm } from 'node:fs/promises'
import type { DurableBatch, SinkOptions } from '../domain/result-sink.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { type OutputPaths, outputPaths, partialPaths } from './output-names.ts'
import { publishOutputs } from './output-publish.ts'
import { DurableFeed } from './sink-durable.ts'
import type { FromSinkThread } from './sink-messages.ts'
import { SinkThreads } from './sink-threads.ts'

/** A chunk's place, as {@link FileSink.put} takes it. */
interface PutChunk {
  readonly chunkIndex: number
  readonly outputOffset: number
  readonly byteLength: number
}

interface Waiter<Value> {
  readonly resolve: (value: Value) => void
  readonly reject: (reason: unknown) => void
}

interface HeldChunk {
  readonly chunk: PutChunk
  readonly buffer: ArrayBuffer
}

/**
 * Opens a job's output. @returns the sink, and the chunks that stand after the re-check in a resume
 * @throws SwarmError SEALING_UNSUPPORTED, OUTPUT_EXISTS, OUTPUT_WRITE_FAILED. @throws RangeError when `outputBytes` is not what
 *   C of `tiles` has
 */
export async function openSink(
  options: SinkOptions,
  { signal }: { signal: AbortSignal }
): Promise<{ sink: FileSink; standing: readonly number[] }> {
  signal.throwIfAborted()
  checkOptions(options)
  try {
    await mkdir(options.outDir, { recursive: true })
  } catch (error) {
    throw writeFailed(options.outDir, error)
  }
  const sink = new FileSink(options)
  const onAbort = (): void => sink.fail(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return { sink, standing: await sink.opened }
  } catch (error) {
    await sink.abort({ discard: false })
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/**
 * A job's output file, written by threads of its own. Owns the threads and the chunks that wait for their turn. Any
 * failure is final: everything that waits gets it, and the partial file stays as the last checkpoint says.
 */
export class FileSink {
  /** Chunk indexes that stand; settles once the file is open. */
  readonly opened: Promise<readonly number[]>
  readonly durable: AsyncIterable<DurableBatch>
  /** Absolute path of the file that holds what was placed, until {@link FileSink.finish}. */
  readonly placedPath: string
  readonly #feed = new DurableFeed()
  readonly #options: SinkOptions
  readonly #paths: OutputPaths
  readonly #threads: SinkThreads
  readonly #opening = Promise.withResolvers<readonly number[]>()
  readonly #finishing = Promise.withResolvers<{ outputBytes: number; hmac?: Uint8Array }>()
  /** Sealed jobs: chunks that came before their turn. */
  readonly #held = new Map<number, HeldChunk>()
  readonly #waiting = new Map<number, Waiter<ArrayBuffer>>()
  #nextIndex = 0
  #state: 'open' | 'finishing' | 'finished' | 'failed' = 'open'
  #hmac: Uint8Array | undefined
  #failure: unknown

  constructor(options: SinkOptions) {
    this.#options = options
    this.#paths = outputPaths(options)
    this.placedPath = this.#paths.partial
    this.durable = this.#feed
    this.opened = this.#opening.promise
    const { fileName: _name, onStall: _onStall, outDir: _outDir, partialTag: _tag, ...data } = options
    this.#threads = new SinkThreads(
      { ...data, paths: this.#paths },
      {
        onMessage: (message) => this.#onMessage(message),
        onError: (error) => this.fail(writeFailed(this.#paths.partial, error))
      }
    )
    // Whoever asks gets these failures; when nobody does, `durable` and `put` have told them.
    this.#finishing.promise.catch(() => undefined)
    this.#opening.promise.catch(() => undefined)
  }

  /**
   * Hands over a chunk's result; `buffer` is transferred. A chunk out of turn waits here.
   * @returns the buffer, once its bytes were consumed. @throws SwarmError OUTPUT_WRITE_FAILED, OUTPUT_CHUNK_TWICE; the signal's
   *   reason, after which the chunk may be in the output nevertheless
   */
  async put(chunk: PutChunk, buffer: ArrayBuffer, { signal }: { signal: AbortSignal }): Promise<ArrayBuffer> {
    signal.throwIfAborted()
    if (this.#state === 'failed') throw this.#failure
    if (this.#state !== 'open' || this.#waiting.has(chunk.chunkIndex) || this.#isPast(chunk.chunkIndex)) {
      throw new SwarmError('OUTPUT_CHUNK_TWICE', `chunk ${chunk.chunkIndex} was handed to the output already`)
    }
    const waiter = Promise.withResolvers<ArrayBuffer>()
    this.#waiting.set(chunk.chunkIndex, waiter)
    const onAbort = (): void => {
      if (this.#held.delete(chunk.chunkIndex)) this.#waiting.delete(chunk.chunkIndex)
      waiter.reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#forward({ chunk, buffer })
    try {
      return await waiter.promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /**
   * Pads, flushes and syncs, and seals what is sealed after; call when every chunk was put. The file is still partial.
   * @returns plain bytes of the output, and the tag of a sealed one. @throws SwarmError OUTPUT_INCOMPLETE, OUTPUT_WRITE_FAILED
   */
  async finish({
    signal,
    content
  }: {
    signal: AbortSignal
    content?: Uint8Array | undefined
  }): Promise<{ outputBytes: number; hmac?: Uint8Array }> {
    signal.throwIfAborted()
    if (this.#state === 'open') {
      this.#state = 'finishing'
      if (this.#options.sealing === undefined)
        this.#threads.toSink({ type: 'finish', ...(content !== undefined && { content }) })
      else this.#threads.toSeal({ type: 'finish' })
    }
    const onAbort = (): void => this.fail(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const finished = await this.#finishing.promise
      await this.#threads.end()
      return finished
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /**
   * Writes key, IV and tag beside the result and gives all their final names, the result last.
   * @returns absolute paths. @throws SwarmError OUTPUT_EXISTS, OUTPUT_WRITE_FAILED
   */
  async publish(): Promise<{ result: string; key?: string; iv?: string; hmac?: string }> {
    if (this.#state !== 'finished') throw new SwarmError('OUTPUT_INCOMPLETE', 'the output was not finished')
    const sealing = this.#options.sealing ?? this.#options.sealAfter
    if (sealing === undefined || this.#hmac === undefined) return await publishOutputs(this.#paths)
    return await publishOutputs(this.#paths, { ...sealing, hmac: this.#hmac })
  }

  /** Stops, whatever is under way. Keeps the partial files for a resume unless `discard`. */
  async abort({ discard }: { discard: boolean }): Promise<void> {
    this.fail(new SwarmError('OUTPUT_STOPPED', `${this.#paths.partial}: writing was stopped`))
    this.#feed.end()
    await this.#threads.end()
    if (discard) await Promise.all(partialPaths(this.#paths).map((path) => rm(path, { force: true })))
  }

  /** Ends the sink with a failure, unless it has ended. */
  fail(error: unknown): void {
    if (this.#state === 'failed' || this.#state === 'finished') return
    this.#state = 'failed'
    this.#failure = error
    this.#held.clear()
    for (const waiter of this.#waiting.values()) waiter.reject(error)
    this.#waiting.clear()
    this.#opening.reject(error)
    this.#finishing.reject(error)
    const stopped = !(error instanceof SwarmError) || error.code === 'OUTPUT_STOPPED'
    this.#feed.end(stopped ? undefined : error)
  }

  #isPast(chunkIndex: number): boolean {
    return this.#options.sealing !== undefined && chunkIndex < this.#nextIndex
  }

  #forward(held: HeldChunk): void {
    if (this.#options.sealing === undefined) {
      const { buffer, chunk } = held
      const { byteLength, chunkIndex, outputOffset } = chunk
      const message = { type: 'write', chunkIndex, outputOffset, plainBytes: byteLength, buffer } as const
      this.#threads.toSink({ ...message, bodyOffset: 0, bodyBytes: byteLength }, [buffer])
      return
    }
    this.#held.set(held.chunk.chunkIndex, held)
    for (;;) {
      const next = this.#held.get(this.#nextIndex)
      if (next === undefined) return
      this.#held.delete(this.#nextIndex)
      this.#nextIndex += 1
      const { byteLength, chunkIndex } = next.chunk
      this.#threads.toSeal({ type: 'chunk', chunkIndex, byteLength, buffer: next.buffer }, [next.buffer])
    }
  }

  #onMessage(message: FromSinkThread): void {
    switch (message.type) {
      case 'opened':
        this.#onOpened(message)
        break
      case 'consumed':
        this.#waiting.get(message.chunkIndex)?.resolve(message.buffer)
        this.#waiting.delete(message.chunkIndex)
        break
      case 'durable':
        this.#feed.push(message.batch)
        break
      case 'stall':
        this.#options.onStall(message.full, this.#paths.partial)
        break
      case 'finished':
        this.#onFinished(message)
        break
      case 'failed':
        this.fail(new SwarmError(message.code, message.message))
        break
    }
  }

  #onOpened({ chain, standing }: Extract<FromSinkThread, { type: 'opened' }>): void {
    this.#nextIndex = standing.length
    if (chain !== undefined && this.#options.sealing !== undefined) {
      this.#threads.toSeal({ type: 'start', key: this.#options.sealing.key, chain })
    }
    this.#opening.resolve(standing)
  }

  #onFinished({ hmac, outputBytes }: Extract<FromSinkThread, { type: 'finished' }>): void {
    this.#state = 'finished'
    this.#hmac = hmac
    this.#feed.end()
    this.#finishing.resolve({ outputBytes, ...(hmac !== undefined && { hmac }) })
  }
}

function checkOptions({ outputBytes, sealAfter, sealing, segments, tiles }: SinkOptions): void {
  const isPlaced = tiles !== undefined || segments !== undefined
  if (sealing !== undefined && (isPlaced || sealAfter !== undefined)) {
    throw new SwarmError(
      'SEALING_UNSUPPORTED',
      'results of tiles and segments are placed, not sealed in order: seal them after (sealAfter), or leave them unsealed',
      { exitCode: EXIT_CODES.usage }
    )
  }
  const tileBytes = tiles === undefined ? outputBytes : tiles.rows * tiles.columns * Float32Array.BYTES_PER_ELEMENT
  if (tileBytes !== outputBytes) throw new RangeError(`C has ${tileBytes} bytes, not ${outputBytes}`)
}

function writeFailed(path: string, cause: unknown): SwarmError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new SwarmError('OUTPUT_WRITE_FAILED', `${path} cannot be written: ${reason}`, { cause })
}
