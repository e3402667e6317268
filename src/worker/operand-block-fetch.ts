/** How often a block's holders may say that it is still on its way to them, before they are asked no more. */
export const ASK_AGAIN_MAX = 5

/** A peer that may give a block, as a grant of a job named it. */
export interface OperandSource {
  readonly jobId: string
  readonly peerId: string
  /** The job's submitter, who has every block: the last one to be asked. */
  readonly isSubmitter: boolean
}

/** One block that is to be fetched. */
export interface FetchRequest {
  /** 32 bytes. */
  readonly hash: Uint8Array
  readonly byteLength: number
  /** Gets the block from its start. */
  readonly buffer: SharedArrayBuffer
  /** Of the lease that wants it: lower ones first. */
  readonly turn: number
  /** In the order in which they are to be asked. */
  readonly sources: readonly OperandSource[]
  readonly signal: AbortSignal
  /** Bytes that have just come, also when they turn out to be of no use. */
  readonly onBytes: (byteLength: number, source: OperandSource) => void
}

/** One block on its way: `queued → asking → queued` for each source that fails, until it has settled. */
export class BlockFetch {
  readonly request: FetchRequest
  /** Who gave the block. */
  readonly outcome: Promise<OperandSource>
  readonly #resolvers = Promise.withResolvers<OperandSource>()
  readonly #sources: OperandSource[]
  readonly #asked = new Set<string>()
  readonly #selfPeerId: string
  readonly #lot: number
  #asking: OperandSource | undefined
  #againCount = 0
  /** Whether another peer waits for the block to come here. */
  isAwaited = false
  /** Why the last source failed. */
  lastError: unknown

  constructor(request: FetchRequest, selfPeerId: string) {
    this.request = request
    this.outcome = this.#resolvers.promise
    this.#sources = [...request.sources]
    this.#selfPeerId = selfPeerId
    this.#lot = drawLot(selfPeerId, request.hash)
  }

  /** Who is being asked now. */
  get asking(): OperandSource | undefined {
    return this.#asking
  }

  /** Peers that were asked. */
  get askedCount(): number {
    return this.#asked.size
  }

  /** Those who were not asked yet. */
  get sourcesLeft(): readonly OperandSource[] {
    return this.#sources.filter(({ peerId }) => peerId !== this.#selfPeerId && !this.#asked.has(peerId))
  }

  /** Another lease wants the same block and knows who has it. */
  addSources(sources: readonly OperandSource[]): void {
    const known = new Set(this.#sources.map(({ peerId }) => peerId))
    this.#sources.push(...sources.filter(({ peerId }) => !known.has(peerId)))
  }

  /** The source does not have the block yet, and may be asked again, {@link ASK_AGAIN_MAX} times in all. */
  askAgain({ peerId }: OperandSource): void {
    this.#againCount += 1
    if (this.#againCount <= ASK_AGAIN_MAX) this.#asked.delete(peerId)
  }

  /**
   * @returns negative when this one goes first: what was not asked for in vain yet, then what other peers wait for, then
   *   the older lease, then the rarer block, then by lot
   */
  compare(other: BlockFetch): number {
    const byWish = this.#againCount - other.#againCount || Number(other.isAwaited) - Number(this.isAwaited)
    const byTurn = byWish || this.request.turn - other.request.turn
    return byTurn || this.#sources.length - other.#sources.length || this.#lot - other.#lot
  }

  /** `queued → asking` */
  begin(source: OperandSource): void {
    this.#asked.add(source.peerId)
    this.#asking = source
  }

  /** `asking → queued`, unless it has settled */
  end(): void {
    this.#asking = undefined
  }

  succeed(source: OperandSource): void {
    this.#resolvers.resolve(source)
  }

  fail(error: unknown): void {
    this.#resolvers.reject(error)
  }
}

/** An order that differs from peer to peer (FNV-1a over the peer id and the hash); nothing else depends on it. */
function drawLot(selfPeerId: string, hash: Uint8Array): number {
  let lot = 0x811c9dc5
  for (const code of [...selfPeerId].map((letter) => letter.charCodeAt(0)).concat(...hash)) {
    lot = Math.imul(lot ^ code, 0x01000193) >>> 0
  }
  return lot
}
