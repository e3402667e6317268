import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryDatastore } from 'datastore-core'
import fc from 'fast-check'
import { type Datastore, Key } from 'interface-datastore'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Libp2pDatastore } from '../../src/store/libp2p-datastore.ts'

const KEYS = ['/a', '/a/b', '/a/b/c', '/ab', '/b', '/peers/%_x', '/z'].map((name) => new Key(name))

describe('libp2p datastore', () => {
  let folder: string
  let store: Libp2pDatastore
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarm-datastore-'))
    store = new Libp2pDatastore(join(folder, 'libp2p.db'))
  })
  afterEach(() => {
    store.close()
    rmSync(folder, { recursive: true })
  })

  test('keeps values across restarts', () => {
    store.put(new Key('/a'), Uint8Array.of(1))
    store.close()
    store = new Libp2pDatastore(join(folder, 'libp2p.db'))
    expect(store.get(new Key('/a'))).toEqual(Uint8Array.of(1))
  })

  test('throws what libp2p knows as "not found"', () => {
    expect(() => store.get(new Key('/none'))).toThrow(expect.objectContaining({ name: 'NotFoundError' }))
  })

  test('writes a batch when it is committed, and only once', async () => {
    store.put(new Key('/b'), Uint8Array.of(0))
    const batch = store.batch()
    batch.put(new Key('/a'), Uint8Array.of(1))
    batch.delete(new Key('/b'))
    expect(store.has(new Key('/a'))).toBe(false)
    await batch.commit()
    expect([store.has(new Key('/a')), store.has(new Key('/b'))]).toEqual([true, false])
    store.delete(new Key('/a'))
    await batch.commit()
    expect(store.has(new Key('/a'))).toBe(false)
  })

  test('does what datastore-core’s own memory store does', async () => {
    const change = fc.record({
      put: fc.boolean(),
      key: fc.constantFrom(...KEYS),
      value: fc.uint8Array({ maxLength: 4 })
    })
    const prefix = fc.constantFrom('', '/', '/a', '/a/', '/a/b', '/peers/%', '/none')
    await fc.assert(
      fc.asyncProperty(fc.array(change), prefix, async (changes, wanted) => {
        const memory = new MemoryDatastore()
        for (const key of KEYS) store.delete(key)
        for (const { put, key, value } of changes) {
          for (const datastore of [store, memory]) put ? await datastore.put(key, value) : await datastore.delete(key)
        }
        expect(await found(store, wanted)).toEqual(await found(memory, wanted))
      }),
      { numRuns: 40 }
    )
  })

  test('reads more pairs than one page', async () => {
    const batch = store.batch()
    for (let index = 0; index < 1_000; index++) batch.put(new Key(`/p/${index}`), Uint8Array.of(index % 256))
    await batch.commit()
    expect(await found(store, '/p')).toHaveLength(1_000)
  })
})

async function found(datastore: Datastore, prefix: string): Promise<string[]> {
  const pairs: string[] = []
  for await (const { key, value } of datastore.query({ prefix })) pairs.push(`${key.toString()}=${value.join()}`)
  const keys: string[] = []
  for await (const key of datastore.queryKeys({ prefix })) keys.push(key.toString())
  expect(keys.toSorted()).toEqual(pairs.map((pair) => pair.slice(0, pair.lastIndexOf('='))).toSorted())
  return pairs.toSorted()
}
