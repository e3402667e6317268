import type { PeerName } from './ids.ts'

/** Operands that one peer may say it holds; more are not remembered. A job has at most {@link OPERANDS_MAX}. */
export const OPERANDS_MAX = 65_536

interface Holding {
  /** True once the peer said so; until then a grant made it fetch the block. */
  confirmed: boolean
}

/**
 * Owns what is known of who holds which operand of one job. A grant makes its peer a holder to be: whoever is granted the
 * block next waits for that one instead of asking the submitter again, so that each block leaves the submitter about once.
 */
export class OperandHolders {
  readonly #byOperand = new Map<number, Map<PeerName, Holding>>()
  readonly #byPeer = new Map<PeerName, Set<number>>()
  /** How often grants named each peer first: how much it was asked to give. */
  readonly #named = new Map<PeerName, number>()

  /** Peers that hold the operand or are fetching it. */
  count(operand: number): number {
    return this.#byOperand.get(operand)?.size ?? 0
  }

  /** Whether the peer holds the operand or is fetching it. */
  has(operand: number, peer: PeerName): boolean {
    return this.#byOperand.get(operand)?.has(peer) ?? false
  }

  /** The peer was granted a chunk that reads these. */
  expect(peer: PeerName, operands: readonly number[]): void {
    for (const operand of operands) this.#add(peer, operand, false)
  }

  /** The peer says what it holds since it last said so. */
  change(peer: PeerName, changes: { readonly added: readonly number[]; readonly dropped: readonly number[] }): void {
    for (const operand of changes.dropped) this.#remove(peer, operand)
    for (const operand of changes.added) this.#add(peer, operand, true)
  }

  /** The peer lost a lease: what it was about to fetch for it, it may never have. */
  unexpect(peer: PeerName, operands: readonly number[]): void {
    for (const operand of operands) {
      if (this.#byOperand.get(operand)?.get(peer)?.confirmed === false) this.#remove(peer, operand)
    }
  }

  /** The peer left. */
  forget(peer: PeerName): void {
    this.#named.delete(peer)
    for (const operand of this.#byPeer.get(peer) ?? []) this.#remove(peer, operand)
  }

  /**
   * Whom to ask for the operand, best first: who has it, then who was asked to give least so far. Counts the first as asked.
   * Of those who are yet to have it, only those are named who were to before the asker: so nobody waits in a circle.
   */
  sources(operand: number, asker: PeerName, countMax: number): readonly PeerName[] {
    const known = [...(this.#byOperand.get(operand) ?? [])]
    const place = known.findIndex(([peer]) => peer === asker)
    const holders = known.filter(([peer, { confirmed }], index) => {
      return peer !== asker && (confirmed || place < 0 || index < place)
    })
    const named = (peer: PeerName) => this.#named.get(peer) ?? 0
    holders.sort(([a, left], [b, right]) => Number(right.confirmed) - Number(left.confirmed) || named(a) - named(b))
    const first = holders[0]?.[0]
    if (first !== undefined) this.#named.set(first, named(first) + 1)
    return holders.slice(0, countMax).map(([peer]) => peer)
  }

  #add(peer: PeerName, operand: number, confirmed: boolean): void {
    const ofPeer = this.#byPeer.get(peer) ?? new Set()
    if (ofPeer.size >= OPERANDS_MAX && !ofPeer.has(operand)) return
    this.#byPeer.set(peer, ofPeer.add(operand))
    const holders = this.#byOperand.get(operand) ?? new Map<PeerName, Holding>()
    this.#byOperand.set(operand, holders)
    const holding = holders.get(peer)
    if (holding === undefined) holders.set(peer, { confirmed })
    else holding.confirmed ||= confirmed
  }

  #remove(peer: PeerName, operand: number): void {
    this.#byPeer.get(peer)?.delete(operand)
    if (this.#byPeer.get(peer)?.size === 0) this.#byPeer.delete(peer)
    this.#byOperand.get(operand)?.delete(peer)
    if (this.#byOperand.get(operand)?.size === 0) this.#byOperand.delete(operand)
  }
}
