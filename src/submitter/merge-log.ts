import type { IncomingOffer } from '../../protocols/result/types.ts'
import { RefusalCode } from '../../protocols/wire/wire-error.ts'
import type { Chunk } from '../domain/job.ts'
import type { MergedChunk } from '../domain/journal.ts'
import type { JobContext } from './job-context.ts'

/** What a peer's merged chunk is owed: its receipt. */
interface Owed {
  readonly offer: IncomingOffer
  readonly claim: Uint8Array
}

interface Expected {
  readonly chunk: Chunk
  readonly merged: MergedChunk
  readonly owed: Owed | undefined
}

/**
 * Follows verified chunks through the sink until they are durable, then journals them, signs their receipts and hands
 * those out, in batches: a crash can cost work, never credit given twice.
 */
export class MergeLog {
  readonly #job: JobContext
  readonly #expected = new Map<number, Expected>()
  /** Offers that are owed a receipt, by lease number. */
  readonly #owed = new Map<number, IncomingOffer>()

  constructor(job: JobContext) {
    this.#job = job
  }

  /** Whether a peer's result under this lease is placed and waits to be durable: the peer is to wait for its receipt. */
  owes(peerId: string, leaseNumber: number): boolean {
    return this.#owed.get(leaseNumber)?.peerId.toString() === peerId
  }

  /** The job ends before these results became durable: no receipt follows. */
  abandon(): void {
    for (const offer of this.#owed.values()) offer.refuse(RefusalCode.jobClosed)
    this.#owed.clear()
  }

  /** Announces a chunk that is about to be put. */
  expect(chunk: Chunk, merged: MergedChunk, owed?: Owed): void {
    if (owed !== undefined) this.#owed.set(owed.offer.leaseNumber, owed.offer)
    this.#expected.set(chunk.chunkIndex, { chunk, merged, owed })
  }

  /** Hands a chunk's result to the sink; its buffer returns to the pool. */
  put(chunk: Chunk, buffer: ArrayBuffer): void {
    const { sink, ports, signal } = this.#job
    const { chunkIndex, outputOffset, outputBytes } = chunk
    sink
      .put({ chunkIndex, outputOffset, byteLength: outputBytes }, buffer, { signal })
      .then((spent) => {
        ports.buffers.give(spent)
        this.#job.table.consumed(chunkIndex)
        this.#job.changed()
      })
      .catch((error) => this.#job.fail(error))
  }

  /** Journals and receipts each durable batch. Ends when the sink has finished. */
  async run(): Promise<void> {
    for await (const { chunkIndexes, checkpoint, outputHashes } of this.#job.sink.durable) {
      const batch = chunkIndexes.map((chunkIndex, index) => this.#take(chunkIndex, outputHashes?.[index]))
      const merged = await Promise.all(batch.map((expected) => this.#receipted(expected)))
      const { ports, spec, table, metrics, units } = this.#job
      ports.journal.merge(spec.jobId, merged, checkpoint)
      await ports.keepReceipts(merged.flatMap(({ receipt }) => (receipt === undefined ? [] : [receipt])))
      for (const [index, { chunk, owed }] of batch.entries()) {
        const chunkMerged = merged[index]
        if (chunkMerged === undefined) continue
        if (owed !== undefined && chunkMerged.receipt !== undefined) {
          this.#owed.delete(owed.offer.leaseNumber)
          owed.offer.accept(chunkMerged.receipt)
        }
        metrics.onMerged(chunkMerged, units(chunk.inputBytes))
      }
      table.merged(chunkIndexes)
      this.#job.changed()
    }
  }

  /** @param outputHash of a placed chunk, by which a resume checks it again */
  #take(chunkIndex: number, outputHash: Uint8Array | undefined): Expected {
    const expected = this.#expected.get(chunkIndex)
    if (expected === undefined) throw new Error(`chunk ${chunkIndex} became durable but was never put`)
    this.#expected.delete(chunkIndex)
    return outputHash === undefined ? expected : { ...expected, merged: { ...expected.merged, outputHash } }
  }

  async #receipted({ chunk, merged, owed }: Expected): Promise<MergedChunk> {
    if (owed === undefined) return merged
    const { ports, kind, units } = this.#job
    const receipt = await ports.signReceipt({
      claim: owed.claim,
      kind: kind.kind,
      inputOffset: chunk.inputOffset,
      units: units(chunk.inputBytes),
      unit: kind.unit,
      verification: kind.verification,
      acceptedAtMs: ports.clock.wallMs()
    })
    return { ...merged, receipt }
  }
}
