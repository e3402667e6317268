import type { Connection, PeerId } from '@libp2p/interface'

/** The newest entry of one author's feed that a peer holds. */
export interface FeedHead {
  /** Peer id text of the author. */
  readonly author: string
  /** Sequence number of the newest entry, from 1. */
  readonly sequence: number
  /** SHA-256 of that entry's bytes. */
  readonly hash: Uint8Array
}

/** What a peer holds, as the ledger protocol asks for it. */
export interface LedgerHandler {
  heads(): readonly FeedHead[]
  /** Entry envelopes of `author` with sequence in [from, from + limit), as they were received. */
  entries(author: string, from: number, limit: number): readonly Uint8Array[]
  /** Proofs of two entries at one sequence number: pairs of envelopes. */
  forkProofs(): readonly (readonly [Uint8Array, Uint8Array])[]
  /** Heads that another peer has, by gossip or in an exchange that it opened (one's own returns them). */
  onHeads(heads: readonly FeedHead[], from: PeerId): void
  /** A fork proof that another peer has. */
  onForkProof(proof: readonly [Uint8Array, Uint8Array], from: PeerId): void
}

/** The protocol as a libp2p service. */
export interface LedgerService {
  setHandler(handler: LedgerHandler | undefined): void
  /** Gossips heads (at most HEADS_PER_MESSAGE_MAX a message). @returns the number of peers it was handed to. */
  publishHeads(heads: readonly FeedHead[]): Promise<number>
  /**
   * Gossips a fork proof.
   * @returns the number of peers it was handed to: 0 also when it is too long for gossip and so only travels by exchange
   */
  publishForkProof(proof: readonly [Uint8Array, Uint8Array]): Promise<number>
  /** Exchanges heads and fork proofs with the peer at the other end. @returns its heads. @throws WireError */
  exchange(connection: Connection, options: { signal: AbortSignal }): Promise<readonly FeedHead[]>
  /**
   * Pulls entries of one author with sequence in [from, to], in order, in bounded messages; ends early when the other
   * side has no more. Neither signatures nor sequence numbers are checked here.
   * @throws WireError
   */
  pull(
    connection: Connection,
    range: { author: string; from: number; to: number },
    options: { signal: AbortSignal }
  ): AsyncIterable<Uint8Array>
}
