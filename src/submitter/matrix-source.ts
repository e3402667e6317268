import {
  OPERAND_HOLDERS_MAX,
  OPERAND_PEERS_PER_ANSWER_MAX,
  OPERANDS_PER_ANSWER_MAX
} from '../../protocols/lease/constants.ts'
import type { OperandChanges } from '../../protocols/lease/types.ts'
import type { OperandRange } from '../../protocols/operand/types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { createContentHasher } from '../content-hash.ts'
import type { ComputePool, MatrixFiles, ResultCheck, TileCall } from '../domain/compute.ts'
import type { OperandFigures } from '../domain/events.ts'
import { type PeerName, peerName } from '../domain/ids.ts'
import type { Chunk } from '../domain/job.ts'
import type { OperandHolders } from '../domain/operand-holders.ts'
import { RUN_TILES_MAX } from '../domain/tile-cutter.ts'
import type { TileGrid } from '../tasks/matrix/tile-grid.ts'
import type { ChunkInputs, LeasedChunk, PreparedInput, TakenInput } from './chunk-input.ts'

/** Operand blocks kept in memory between the grant that names them and their pulls, in bytes. */
const BLOCKS_KEPT_BYTES = 32 * 1024 * 1024

interface Block {
  readonly index: number
  readonly byteLength: number
  readonly bytes: Promise<Uint8Array>
}

/** What a source is made of. */
export interface MatrixSourceInit {
  readonly grid: TileGrid
  readonly call: TileCall
  readonly files: MatrixFiles
  readonly holders: OperandHolders
  readonly compute: ComputePool
  /** Aborts when the job ends. */
  readonly signal: AbortSignal
}

/**
 * Owns the operands of one product: their hashes, the few blocks that are in memory, and which peer was told to have which.
 * Grants name holders, so that a block leaves this machine about once and spreads from peer to peer.
 */
export class MatrixSource implements ChunkInputs {
  readonly #init: MatrixSourceInit
  readonly #hashes = new Map<number, Uint8Array>()
  readonly #indexes = new Map<string, number>()
  /** Oldest use first. */
  readonly #blocks = new Map<number, Block>()
  #blockBytes = 0
  #servedBytes = 0
  #fetchedBytes = 0
  #neededBytes = 0
  readonly #leased = new Map<
    number,
    { readonly peer: PeerName; readonly chunk: Chunk; readonly inputHash: Uint8Array }
  >()

  readonly grantsMax: number

  constructor(init: MatrixSourceInit) {
    this.#init = init
    const operandsMax = init.grid.depthCount * (1 + RUN_TILES_MAX)
    this.grantsMax = Math.max(1, Math.floor(OPERANDS_PER_ANSWER_MAX / operandsMax))
  }

  async prepare(
    peerId: string,
    leases: readonly LeasedChunk[],
    options: { signal: AbortSignal }
  ): Promise<readonly PreparedInput[]> {
    const { grid, holders } = this.#init
    const peer = peerName(peerId)
    const wanted = leases.flatMap(({ chunk }) => grid.operandsOf(chunk))
    await this.#hashAll(
      wanted.filter((index) => !this.#hashes.has(index)),
      options
    )
    const named = new Set<PeerName>()
    return leases.map(({ leaseNumber, chunk }) => {
      const indexes = grid.operandsOf(chunk)
      const hasher = createContentHasher()
      const operands = indexes.map((index) => {
        const hash = this.#hashOf(index)
        hasher.update(hash)
        const sources = holders.sources(index, peer, OPERAND_HOLDERS_MAX).filter((holder) => {
          // Hints: what finds no room in the answer is left out.
          if (named.size < OPERAND_PEERS_PER_ANSWER_MAX) named.add(holder)
          return named.has(holder)
        })
        return { index, hash, byteLength: grid.operand(index).byteLength, holders: sources }
      })
      holders.expect(peer, indexes)
      const inputHash = hasher.digest()
      this.#leased.set(leaseNumber, { peer, chunk, inputHash })
      return { inputHash, operands }
    })
  }

  read(peerId: string): Uint8Array {
    throw new WireError('REFUSED', `peer ${peerId} pulls a range of a job that has operands`, {
      refusal: RefusalCode.rangeInvalid
    })
  }

  readOperand(range: OperandRange): Promise<Uint8Array> | undefined {
    const index = this.#indexes.get(keyOf(range.hash))
    return index === undefined ? undefined : this.#readRange(index, range)
  }

  /** What peers fetched is what they say came to them; what they read beyond that lay in their caches. */
  figures(): OperandFigures {
    const peerBytes = Math.max(0, this.#fetchedBytes - this.#servedBytes)
    const cacheBytes = Math.max(0, this.#neededBytes - Math.max(this.#fetchedBytes, this.#servedBytes))
    return { submitterBytes: this.#servedBytes, peerBytes, cacheBytes }
  }

  onOperands(peerId: string, { added, dropped }: OperandChanges): void {
    const { grid, holders } = this.#init
    const real = added.filter((index) => index < grid.operandCount)
    for (const index of real) this.#fetchedBytes += grid.operand(index).byteLength
    holders.change(peerName(peerId), { added: real, dropped })
  }

  onPeerLost(peerId: string): void {
    this.#init.holders.forget(peerName(peerId))
  }

  take(leaseNumber: number, peerId: string): TakenInput | undefined {
    const leased = this.#leased.get(leaseNumber)
    if (leased?.peer !== peerId) return undefined
    this.#leased.delete(leaseNumber)
    this.#neededBytes += this.#init.grid.operandBytesOf(leased.chunk)
    return { inputHash: leased.inputHash }
  }

  drop(leaseNumber: number): void {
    const leased = this.#leased.get(leaseNumber)
    if (leased === undefined) return
    this.#leased.delete(leaseNumber)
    this.#init.holders.unexpect(leased.peer, this.#init.grid.operandsOf(leased.chunk))
  }

  check(
    { chunk, ...result }: { chunk: Chunk; inputHash: Uint8Array; buffer: ArrayBuffer; outputHash: Uint8Array },
    options: { signal: AbortSignal }
  ): Promise<ResultCheck> {
    const { call, compute, files } = this.#init
    return compute.checkTiles({ call, files, run: runOf(chunk), ...result }, options)
  }

  compute(
    chunk: Chunk,
    options: { signal: AbortSignal }
  ): Promise<{ buffer: ArrayBuffer; byteLength: number; computeMs: number }> {
    const { call, compute, files } = this.#init
    const buffer = new ArrayBuffer(chunk.outputBytes)
    return compute.runLocalTiles({ call, files, run: runOf(chunk), buffer }, options)
  }

  async #readRange(index: number, { offset, byteLength }: OperandRange): Promise<Uint8Array> {
    const bytes = await this.#load(index)
    if (byteLength === 0 || offset + byteLength > bytes.byteLength) {
      const asked = `${offset}+${byteLength}`
      throw new WireError('REFUSED', `range ${asked} is not within the ${bytes.byteLength} bytes of operand ${index}`, {
        refusal: RefusalCode.rangeInvalid
      })
    }
    this.#servedBytes += byteLength
    return bytes.subarray(offset, offset + byteLength)
  }

  /** Reads what has no hash yet, in one go; it is about to be pulled. */
  async #hashAll(indexes: readonly number[], options: { signal: AbortSignal }): Promise<void> {
    const distinct = [...new Set(indexes)]
    if (distinct.length === 0) return
    const { grid } = this.#init
    const read = await this.#read(distinct, options)
    for (const [position, index] of distinct.entries()) {
      const block = read[position]
      if (block === undefined) throw new Error(`operand ${index} was not read`)
      this.#hashes.set(index, block.hash)
      this.#indexes.set(keyOf(block.hash), index)
      const { byteLength } = grid.operand(index)
      this.#keep({ index, byteLength, bytes: Promise.resolve(new Uint8Array(block.buffer, 0, byteLength)) })
    }
  }

  /** A block that was let go is read again, for all who wait for it; whoever gets it checks its hash. */
  #load(index: number): Promise<Uint8Array> {
    const kept = this.#blocks.get(index)
    if (kept !== undefined) {
      this.#blocks.delete(index)
      this.#blocks.set(index, kept)
      return kept.bytes
    }
    const { byteLength } = this.#init.grid.operand(index)
    const bytes = this.#read([index], { signal: this.#init.signal }).then(([block]) => {
      return new Uint8Array(block?.buffer ?? new ArrayBuffer(0), 0, byteLength)
    })
    bytes.catch(() => this.#blocks.delete(index))
    this.#keep({ index, byteLength, bytes })
    return bytes
  }

  #read(indexes: readonly number[], options: { signal: AbortSignal }) {
    const { grid, compute, files, call } = this.#init
    const operands = indexes.map((index) => ({ index, buffer: new ArrayBuffer(grid.operand(index).byteLength) }))
    return compute.readOperands({ files, params: call.params, operands }, options)
  }

  #keep(block: Block): void {
    this.#blocks.set(block.index, block)
    this.#blockBytes = [...this.#blocks.values()].reduce((sum, { byteLength }) => sum + byteLength, 0)
    for (const [index, { byteLength }] of this.#blocks) {
      if (this.#blockBytes <= BLOCKS_KEPT_BYTES || index === block.index) return
      // Its bytes may still be queued in a stream, so they are left to the garbage collector.
      this.#blocks.delete(index)
      this.#blockBytes -= byteLength
    }
  }

  #hashOf(index: number): Uint8Array {
    const hash = this.#hashes.get(index)
    if (hash === undefined) throw new Error(`operand ${index} has no hash yet`)
    return hash
  }
}

function runOf({ outputOffset, outputBytes }: Chunk): { outputOffset: number; outputBytes: number } {
  return { outputOffset, outputBytes }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('hex')
}
