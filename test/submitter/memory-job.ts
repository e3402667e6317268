import type { JobId, PeerName } from '../../src/domain/ids.ts'
import type { Chunk } from '../../src/domain/job.ts'
import type { Journal, JournalChunk, JournalJob, MergedChunk, SinkCheckpoint } from '../../src/domain/journal.ts'
import type { DurableBatch, OpenSink, ResultSink, SinkOptions } from '../../src/domain/result-sink.ts'
import { SwarmError } from '../../src/errors.ts'

interface Stored {
  job: JournalJob
  readonly chunks: Map<number, JournalChunk>
  readonly traffic: { peerId: PeerName; name: string; bytesIn: number; bytesOut: number }[]
}

/** A journal in memory. It tells what is written, in order, and refuses what breaks its contract. */
export class MemoryJournal implements Journal {
  readonly #jobs = new Map<JobId, Stored>()
  readonly #log: string[]
  /** Thrown by the next grant. */
  grantFailure: Error | undefined

  constructor(log: string[] = []) {
    this.#log = log
  }

  create(job: JournalJob): void {
    this.#jobs.set(job.spec.jobId, { job, chunks: new Map(), traffic: [] })
  }

  get(jobId: JobId): JournalJob | undefined {
    return this.#jobs.get(jobId)?.job
  }

  list(): readonly JournalJob[] {
    return [...this.#jobs.values()].map(({ job }) => job)
  }

  reopen(jobId: JobId): number {
    const stored = this.#of(jobId)
    const incarnation = stored.job.incarnation + 1
    stored.job = { ...stored.job, incarnation, state: 'open' }
    return incarnation
  }

  chunks(jobId: JobId): readonly JournalChunk[] {
    return [...this.#of(jobId).chunks.values()].sort((a, b) => a.chunkIndex - b.chunkIndex)
  }

  grant(jobId: JobId, chunks: readonly (Chunk & { epoch: number; attempts: number })[]): void {
    if (this.grantFailure !== undefined) throw this.grantFailure
    const stored = this.#of(jobId)
    for (const chunk of chunks) {
      const known = stored.chunks.get(chunk.chunkIndex)
      if (known?.merged !== undefined) throw new Error(`chunk ${chunk.chunkIndex} was granted after it was merged`)
      if (known !== undefined && known.epoch >= chunk.epoch) throw new Error('an epoch was granted twice')
      const { chunkIndex, inputOffset, inputBytes, outputOffset, outputBytes, epoch, attempts } = chunk
      const cut = { chunkIndex, inputOffset, inputBytes, outputOffset, outputBytes }
      stored.chunks.set(chunkIndex, { ...cut, epoch, attempts })
      this.#log.push(`journal grant ${chunk.chunkIndex} epoch ${chunk.epoch}`)
    }
  }

  merge(jobId: JobId, merged: readonly MergedChunk[], checkpoint: SinkCheckpoint | undefined): void {
    const stored = this.#of(jobId)
    for (const one of merged) {
      const chunk = stored.chunks.get(one.chunkIndex)
      if (chunk === undefined || chunk.merged !== undefined) throw new Error(`chunk ${one.chunkIndex} cannot be merged`)
      stored.chunks.set(one.chunkIndex, { ...chunk, merged: one })
    }
    this.#log.push(`journal merge ${merged.map(({ chunkIndex }) => chunkIndex)}`)
    stored.job = { ...stored.job, ...(checkpoint !== undefined && { checkpoint }) }
  }

  unmerge(jobId: JobId, chunkIndexes: readonly number[], checkpoint: SinkCheckpoint | undefined): void {
    const stored = this.#of(jobId)
    for (const chunkIndex of chunkIndexes) {
      const { merged: _lost, ...chunk } = stored.chunks.get(chunkIndex) ?? expectChunk(chunkIndex)
      stored.chunks.set(chunkIndex, chunk)
    }
    this.#log.push(`journal unmerge ${chunkIndexes}`)
    const { checkpoint: _old, ...job } = stored.job
    stored.job = checkpoint === undefined ? job : { ...job, checkpoint }
  }

  count(jobId: JobId, added: { releases?: number; duplicates?: number; ranMs?: number }): void {
    const stored = this.#of(jobId)
    const { releases, duplicates, ranMs } = stored.job
    stored.job = {
      ...stored.job,
      releases: releases + (added.releases ?? 0),
      duplicates: duplicates + (added.duplicates ?? 0),
      ranMs: ranMs + (added.ranMs ?? 0)
    }
  }

  close(jobId: JobId, state: JournalJob['state'], details: Pick<JournalJob, 'failure' | 'summary'>): void {
    const stored = this.#of(jobId)
    stored.job = { ...stored.job, state, ...details }
    this.#log.push(`journal ${state}`)
  }

  receipts(jobId: JobId): readonly Uint8Array[] {
    return this.chunks(jobId).flatMap(({ merged }) => merged?.receipt ?? [])
  }

  addTraffic(jobId: JobId, peerId: PeerName, name: string, bytesIn: number, bytesOut: number): void {
    this.#of(jobId).traffic.push({ peerId, name, bytesIn, bytesOut })
  }

  traffic(jobId: JobId): Stored['traffic'] {
    return this.#of(jobId).traffic
  }

  #of(jobId: JobId): Stored {
    const stored = this.#jobs.get(jobId)
    if (stored === undefined) throw new Error(`job ${jobId} is not known`)
    return stored
  }
}

function expectChunk(chunkIndex: number): never {
  throw new Error(`chunk ${chunkIndex} was never cut`)
}

/** An output in memory. Chunks become durable at once, or, when `holds`, as a test says. */
export class MemorySink implements ResultSink {
  readonly placedPath = '/out/.result.partial'
  readonly output: Uint8Array
  readonly options: SinkOptions
  readonly #log: string[]
  readonly #batches: DurableBatch[] = []
  readonly #put: number[] = []
  readonly durable: AsyncIterable<DurableBatch>
  holds = false
  putFailure: Error | undefined
  published = 0
  aborted: { discard: boolean } | undefined
  #ended = false
  #wake: () => void = () => undefined
  #chunkCount = 0

  constructor(options: SinkOptions, log: string[]) {
    this.options = options
    this.output = new Uint8Array(options.outputBytes)
    this.#log = log
    this.durable = this.#read()
  }

  async put(
    chunk: { chunkIndex: number; outputOffset: number; byteLength: number },
    buffer: ArrayBuffer,
    { signal }: { signal: AbortSignal }
  ): Promise<ArrayBuffer> {
    signal.throwIfAborted()
    if (this.putFailure !== undefined) throw this.putFailure
    if (this.#ended) throw new SwarmError('OUTPUT_STOPPED', 'the output has ended')
    this.output.set(new Uint8Array(buffer, 0, chunk.byteLength), chunk.outputOffset)
    this.#put.push(chunk.chunkIndex)
    if (!this.holds) this.sync()
    return buffer.transfer()
  }

  /** What was put becomes durable. */
  sync(): void {
    const chunkIndexes = this.#put.splice(0)
    if (chunkIndexes.length === 0) return
    this.#chunkCount += chunkIndexes.length
    const sizes = { chunkCount: this.#chunkCount, plainBytes: 0, fileBytes: 0 }
    this.#batches.push({ chunkIndexes, checkpoint: { ...sizes, digest: new Uint8Array(0), tail: new Uint8Array(0) } })
    this.#wake()
  }

  async finish(): Promise<{ outputBytes: number }> {
    this.sync()
    this.#ended = true
    this.#wake()
    return { outputBytes: this.output.byteLength }
  }

  async publish(): Promise<{ result: string }> {
    this.published++
    this.#log.push('publish')
    return { result: `${this.options.outDir}/${this.options.fileName}` }
  }

  async abort(options: { discard: boolean }): Promise<void> {
    this.aborted = options
    this.#ended = true
    this.#wake()
  }

  async *#read(): AsyncGenerator<DurableBatch> {
    for (;;) {
      const batch = this.#batches.shift()
      if (batch !== undefined) {
        this.#log.push(`durable ${batch.chunkIndexes}`)
        yield batch
      } else if (this.#ended) return
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }
}

/** @returns an `openSink` and the sinks that it opened; `standing` is what a resume finds right */
export function memorySinks(log: string[]): { openSink: OpenSink; sinks: MemorySink[]; standing: number[] } {
  const sinks: MemorySink[] = []
  const standing: number[] = []
  const openSink: OpenSink = async (options) => {
    const sink = new MemorySink(options, log)
    sinks.push(sink)
    return { sink, standing }
  }
  return { openSink, sinks, standing }
}
