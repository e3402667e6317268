import { createHash } from 'node:crypto'
import type { PeerName } from '../../src/domain/ids.ts'
import type { JournalChunk } from '../../src/domain/journal.ts'
import type { LeaseGrant } from '../../src/domain/lease-types.ts'

/** A result that waits for its turn, is in the file, or is durable. `peer` is absent for the submitter's own. */
export interface PlacedResult {
  readonly chunkIndex: number
  readonly outputOffset: number
  readonly bytes: Uint8Array
  readonly peer?: PeerName
}

/** What survives a crash of the submitter: cuts, epochs, merged chunks, their receipts, and the durable output. */
export class MemoryJournal {
  readonly output: Uint8Array
  readonly receipts = new Map<number, PeerName>()
  readonly #chunks = new Map<number, JournalChunk>()
  mergedChunks = 0
  localChunks = 0

  constructor(outputBytes: number) {
    this.output = new Uint8Array(outputBytes)
  }

  grant(grants: readonly LeaseGrant[]): void {
    for (const { chunk, epoch, attempts } of grants) {
      const known = this.#chunks.get(chunk.chunkIndex)
      if (known?.merged) throw new Error(`chunk ${chunk.chunkIndex} was granted after it was merged`)
      if (known !== undefined && known.epoch >= epoch)
        throw new Error(`epoch ${epoch} of chunk ${chunk.chunkIndex} is not new`)
      if (known === undefined && chunk.chunkIndex !== this.#chunks.size) throw new Error('a cut was not journalled')
      this.#chunks.set(chunk.chunkIndex, { ...chunk, epoch, attempts })
    }
  }

  merge(results: readonly PlacedResult[]): void {
    for (const { chunkIndex, outputOffset, bytes, peer } of results) {
      const chunk = this.#chunks.get(chunkIndex)
      if (chunk === undefined) throw new Error(`chunk ${chunkIndex} was merged but never granted`)
      if (chunk.merged) throw new Error(`chunk ${chunkIndex} was merged twice`)
      this.#chunks.set(chunkIndex, { ...chunk, merged: { chunkIndex, computeMs: 0, transferMs: 0 } })
      this.output.set(bytes, outputOffset)
      this.mergedChunks++
      if (peer === undefined) this.localChunks++
      else this.receipts.set(chunkIndex, peer)
    }
  }

  chunks(): readonly JournalChunk[] {
    return [...this.#chunks.values()].sort((a, b) => a.chunkIndex - b.chunkIndex)
  }

  digest(): string {
    return createHash('sha256').update(this.output).digest('hex')
  }
}
