import { sameBytes } from './bytes.ts'

/** Hash that the first entry of a feed names as the one before it. */
export const GENESIS_HASH: Uint8Array = new Uint8Array(32)

/** The newest known entry of one author's feed. */
export interface FeedHead {
  /** Peer id text. */
  readonly author: string
  /** From 1. */
  readonly sequence: number
  /** SHA-256 of that entry's envelope. */
  readonly hash: Uint8Array
}

/** Entries of one author with sequence in [from, to]. */
export interface FeedRange {
  readonly author: string
  readonly from: number
  readonly to: number
}

/** Where an entry stands beside the feed so far. */
export type EntryPlace =
  /** It is the next one. */
  | 'next'
  /** Entries before it are missing. */
  | 'gap'
  /** There is one at its sequence number already: the same one, or a fork. */
  | 'known'
  /** It has the next number, but follows another entry than the head: its author forked at or before the head. */
  | 'other-branch'

/** @returns where an entry stands, given the newest entry known of its author. */
export function placeEntry(
  head: Pick<FeedHead, 'sequence' | 'hash'> | undefined,
  entry: { readonly sequence: number; readonly previousHash: Uint8Array }
): EntryPlace {
  const { sequence, hash } = head ?? { sequence: 0, hash: GENESIS_HASH }
  if (entry.sequence <= sequence) return 'known'
  if (entry.sequence > sequence + 1) return 'gap'
  return sameBytes(entry.previousHash, hash) ? 'next' : 'other-branch'
}
