import {
  OPERAND_HOLDERS_MAX,
  OPERAND_PEERS_PER_ANSWER_MAX,
  OPERANDS_PER_ANSWER_MAX
} from '../../protocols/lease/constants.ts'
import type { OperandChanges } from '../../protocols/lease/types.ts'
import type { OperandRange } from '../../protocols/operand/types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import { createContentHasher } from '../content-hash.ts'
import { toHex } from '../domain/bytes.ts'
import type { ComputePool, MatrixFiles, ResultCheck, TileCall } from '../domain/compute.ts'
import type { OperandFigures } from '../domain/events.ts'
import { type PeerName, peerName } from '../domain/ids.ts'
import type { Chunk } from '../domain/job.ts'
import type { OperandHolders } from '../domain/operand-holders.ts'
import type { SharedBuffers } from '../domain/shared-buffers.ts'
import { RUN_TILES_MAX } from '../domain/tile-cutter.ts'
import type { TileGrid } from '../tasks/matrix/tile-grid.ts'
import { CheckQueue } from './check-queue.ts'
import type { ChunkInputs, LeasedChunk, OfferedResult, PreparedInput, TakenInput } from './chunk-input.ts'
import { type OperandBlock, OperandBlocks } from './operand-blocks.ts'

/** Reading a byte of B's columns costs so many times what one of A's rows does (measured at 4096 squared). */
const SCATTERED_COST = 5
/** Operands that are read together for a claim. */
const READ_AT_ONCE = 4

/**
 * Bytes that move between two collections. Lanes give network buffers back by themselves, streams without lanes do not; a
 * collection takes 50 to 100 ms of CPU, so at 16 MiB it was a third of what a submitter did at 4096 squared.
 */
const COLLECTED_BYTES = 128 * 1024 * 1024

/** What a source is made of. */
export interface MatrixSourceInit {
  readonly grid: TileGrid
  readonly call: TileCall
  readonly files: MatrixFiles
  readonly holders: OperandHolders
  readonly compute: ComputePool
  readonly shared: SharedBuffers
  /** Asks for a garbage collection, where the process can. */
  readonly collectGarbage: (() => unknown) | undefined
  /** Aborts when the job ends. */
  readonly signal: AbortSignal
}

/**
 * Owns the operands of one product: their hashes, the blocks that are in memory, and which peer was told to have which.
 * Grants name holders, so that a block leaves this machine about once and spreads from peer to peer.
 */
export class MatrixSource implements ChunkInputs {
  readonly #init: MatrixSourceInit
  readonly #hashes = new Map<number, Uint8Array>()
  readonly #indexes = new Map<string, number>()
  readonly #blocks: OperandBlocks
  readonly #checks: CheckQueue
  #servedBytes = 0
  /** Since the last collection. */
  #movedBytes = 0
  #fetchedBytes = 0
  #neededBytes = 0
  readonly #leased = new Map<
    number,
    { readonly peer: PeerName; readonly chunk: Chunk; readonly inputHash: Uint8Array }
  >()

  readonly grantsMax: number

  constructor(init: MatrixSourceInit) {
    this.#init = init
    this.#blocks = new OperandBlocks(init.grid, (operands) => this.#load(operands), init.shared)
    init.signal.addEventListener('abort', () => this.#blocks.close(), { once: true })
    // One thread less than there are: the pool lets checks have no more.
    this.#checks = new CheckQueue(Math.max(1, init.compute.threads - 1), (index) => this.#costOf(index))
    const operandsMax = init.grid.depthCount * (1 + RUN_TILES_MAX)
    this.grantsMax = Math.max(1, Math.floor(OPERANDS_PER_ANSWER_MAX / operandsMax))
  }

  async prepare(peerId: string, leases: readonly LeasedChunk[]): Promise<readonly PreparedInput[]> {
    const { grid, holders } = this.#init
    const peer = peerName(peerId)
    const wanted = leases.flatMap(({ chunk }) => grid.operandsOf(chunk))
    // What has no hash yet is read, and is about to be pulled.
    const unread = [...new Set(wanted.filter((index) => !this.#hashes.has(index)))]
    // A few at a time, since all that are read together are in memory together.
    for (let start = 0; start < unread.length; start += READ_AT_ONCE) {
      await this.#blocks.with(unread.slice(start, start + READ_AT_ONCE), () => undefined)
    }
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
      return { inputHash, inputBytes: chunk.inputBytes, operands }
    })
  }

  read(peerId: string): Uint8Array {
    throw new WireError('REFUSED', `peer ${peerId} pulls a range of a job that has operands`, {
      refusal: RefusalCode.rangeInvalid
    })
  }

  onRead(): void {
    // Nothing is read by ranges of leases.
  }

  readOperand(range: OperandRange, { held }: { held: AbortSignal }): Promise<Uint8Array> | undefined {
    const index = this.#indexes.get(toHex(range.hash))
    return index === undefined ? undefined : this.#readRange(index, range, held)
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
    return { inputHash: leased.inputHash, inputBytes: leased.chunk.inputBytes }
  }

  drop(leaseNumber: number): void {
    const leased = this.#leased.get(leaseNumber)
    if (leased === undefined) return
    this.#leased.delete(leaseNumber)
    this.#init.holders.unexpect(leased.peer, this.#init.grid.operandsOf(leased.chunk))
  }

  check({ chunk, peerId: _peerId, ...result }: OfferedResult, options: { signal: AbortSignal }): Promise<ResultCheck> {
    const { call, compute, files, grid } = this.#init
    const indexes = grid.operandsOf(chunk)
    this.#onMoved(chunk.outputBytes)
    const check = () =>
      this.#blocks.with(indexes, (operands) => {
        const request = { call, files, run: runOf(chunk), operands: operands.map(bareBlock), ...result }
        return compute.checkTiles(request, options)
      })
    return this.#checks.run(indexes, check, options)
  }

  async compute(
    chunk: Chunk,
    options: { signal: AbortSignal }
  ): Promise<{ buffer: ArrayBuffer; byteLength: number; computeMs: number }> {
    const { call, compute, grid } = this.#init
    const progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    return this.#blocks.with(grid.operandsOf(chunk), (operands) => {
      const buffer = new ArrayBuffer(chunk.outputBytes)
      const request = { call, run: runOf(chunk), operands: operands.map(bareBlock), buffer, progress, hashes: false }
      return compute.runTiles(request, options)
    })
  }

  async #readRange(index: number, { offset, byteLength }: OperandRange, held: AbortSignal): Promise<Uint8Array> {
    const whole = this.#init.grid.operand(index).byteLength
    if (byteLength === 0 || offset + byteLength > whole) {
      const asked = `${offset}+${byteLength}`
      throw new WireError('REFUSED', `range ${asked} is not within the ${whole} bytes of operand ${index}`, {
        refusal: RefusalCode.rangeInvalid
      })
    }
    const read = Promise.withResolvers<Uint8Array>()
    const using = this.#blocks.with([index], ([block]) => {
      if (block !== undefined) read.resolve(new Uint8Array(block.buffer, offset, byteLength))
      return untilAborted(AbortSignal.any([held, this.#init.signal]))
    })
    using.catch((error) => read.reject(error))
    const bytes = await read.promise
    this.#servedBytes += byteLength
    this.#onMoved(byteLength)
    return bytes
  }

  /** Columns of B lie scattered in their file. */
  #costOf(index: number): number {
    if (this.#blocks.has(index)) return 0
    const { matrix, byteLength } = this.#init.grid.operand(index)
    return matrix === 'a' ? byteLength : byteLength * SCATTERED_COST
  }

  #onMoved(byteLength: number): void {
    this.#movedBytes += byteLength
    if (this.#movedBytes < COLLECTED_BYTES) return
    this.#movedBytes = 0
    this.#init.collectGarbage?.()
  }

  /** What is read again is not hashed again: whoever gets it checks that. */
  async #load(operands: readonly { index: number; buffer: SharedArrayBuffer }[]): Promise<void> {
    const { compute, files, call, signal } = this.#init
    const wanted = operands.map((operand) => ({ ...operand, hashes: !this.#hashes.has(operand.index) }))
    const hashes = await compute.readOperands({ files, params: call.params, operands: wanted }, { signal })
    for (const [position, { index }] of operands.entries()) {
      const hash = hashes[position]
      if (hash === undefined || this.#hashes.has(index)) continue
      this.#hashes.set(index, hash)
      this.#indexes.set(toHex(hash), index)
    }
  }

  #hashOf(index: number): Uint8Array {
    const hash = this.#hashes.get(index)
    if (hash === undefined) throw new Error(`operand ${index} has no hash yet`)
    return hash
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** What may cross to a thread. */
function bareBlock({ buffer, byteLength }: OperandBlock): OperandBlock {
  return { buffer, byteLength }
}

function runOf({ outputOffset, outputBytes }: Chunk): { outputOffset: number; outputBytes: number } {
  return { outputOffset, outputBytes }
}
