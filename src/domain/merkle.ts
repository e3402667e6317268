/** A hash function, SHA-256 wherever it matters; handed in so that this stays pure. */
export type Hash = (bytes: Uint8Array) => Uint8Array

// Domain separation of leaves and inner nodes, so that neither can pass for the other.
const LEAF = 0
const NODE = 1

/**
 * Merkle tree head over a growing list, as in RFC 6962. Keeps one hash per level, so a list of any length fits.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1
 */
export class MerkleTree {
  readonly #hash: Hash
  /** Heads of the full subtrees so far, largest first: one per bit set in the count. */
  readonly #subtrees: { readonly leaves: number; readonly head: Uint8Array }[] = []

  constructor(hash: Hash) {
    this.#hash = hash
  }

  /** Adds the next leaf. */
  push(leaf: Uint8Array): void {
    let added = { leaves: 1, head: this.#hash(join(LEAF, leaf)) }
    for (let last = this.#subtrees.at(-1); last?.leaves === added.leaves; last = this.#subtrees.at(-1)) {
      added = { leaves: 2 * added.leaves, head: this.#hash(join(NODE, last.head, added.head)) }
      this.#subtrees.pop()
    }
    this.#subtrees.push(added)
  }

  /** @returns the head over all leaves so far; for none, the hash of nothing. */
  root(): Uint8Array {
    const head = this.#subtrees.reduceRight<Uint8Array | undefined>(
      (right, { head: left }) => (right === undefined ? left : this.#hash(join(NODE, left, right))),
      undefined
    )
    return head ?? this.#hash(new Uint8Array(0))
  }
}

/** @returns the Merkle tree head over the leaves. */
export function merkleRoot(leaves: Iterable<Uint8Array>, hash: Hash): Uint8Array {
  const tree = new MerkleTree(hash)
  for (const leaf of leaves) tree.push(leaf)
  return tree.root()
}

function join(tag: number, left: Uint8Array, right: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(1 + left.byteLength + right.byteLength)
  bytes[0] = tag
  bytes.set(left, 1)
  bytes.set(right, 1 + left.byteLength)
  return bytes
}
