import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createJobId } from '../../src/domain/job-id.ts'
import { MerkleTree, merkleRoot } from '../../src/domain/merkle.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

// The leaves that Certificate Transparency implementations share as test data, and the heads of their first n.
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const HEADS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'
]

describe('Merkle tree head', () => {
  test.each(HEADS.map((head, count) => [count, head]))('over the first %i known leaves is %s', (count, head) => {
    const leaves = LEAVES.slice(0, Number(count)).map((leaf) => Buffer.from(leaf, 'hex'))
    expect(hex(merkleRoot(leaves, sha256))).toBe(head)
  })

  test('is that of the recursive definition, for any list', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3 }), { maxLength: 40 }), (leaves) => {
        expect(hex(merkleRoot(leaves, sha256))).toBe(hex(byDefinition(leaves)))
      }),
      { numRuns: 50 }
    )
  })

  test('can be asked for while the list grows', () => {
    const tree = new MerkleTree(sha256)
    for (const [index, leaf] of LEAVES.entries()) {
      expect(hex(tree.root())).toBe(HEADS[index])
      tree.push(Buffer.from(leaf, 'hex'))
    }
  })
})

describe('job id', () => {
  test('is base32 of a hash over submitter and nonce', () => {
    const nonce = new Uint8Array(16)
    const jobId = createJobId('12D3KooWA', nonce, sha256)
    expect(jobId).toMatch(/^[a-z2-7]{26}$/u)
    expect(createJobId('12D3KooWA', nonce, sha256)).toBe(jobId)
    expect(createJobId('12D3KooWB', nonce, sha256)).not.toBe(jobId)
    expect(createJobId('12D3KooWA', nonce.fill(1), sha256)).not.toBe(jobId)
    // RFC 4648: 16 zero bytes.
    expect(createJobId('', nonce, () => new Uint8Array(32))).toBe('a'.repeat(26))
    expect(createJobId('', nonce, () => new Uint8Array(32).fill(0xff))).toBe(`${'7'.repeat(25)}4`)
    expect(() => createJobId('', nonce, () => new Uint8Array(3))).toThrow(RangeError)
  })
})

/** RFC 6962, section 2.1, word for word. */
function byDefinition(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) return sha256(new Uint8Array(0))
  if (leaves.length === 1) return sha256(Buffer.from([0, ...first]))
  let split = 1
  while (2 * split < leaves.length) split *= 2
  return sha256(Buffer.from([1, ...byDefinition(leaves.slice(0, split)), ...byDefinition(leaves.slice(split))]))
}
