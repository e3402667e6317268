import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  libp2pPrivateKey,
  loadIdentity,
  loadOrCreateIdentity,
  parsePublicKey,
  peerIdOf
} from '../../src/store/identity.ts'
import { createSigner, createVerifier } from '../../src/store/notary.ts'

describe('identity', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarm-identity-'))
    path = join(folder, 'identity.key')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('is none before it is made, and the same ever after', () => {
    expect(loadIdentity(path)).toBeUndefined()
    const made = loadOrCreateIdentity(path)
    expect(loadOrCreateIdentity(path)).toEqual(made)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('is the peer that libp2p makes of it', async () => {
    const identity = loadOrCreateIdentity(path)
    const privateKey = await libp2pPrivateKey(identity)
    expect(peerIdFromPrivateKey(privateKey).toString()).toBe(identity.peerId)
    const bytes = new TextEncoder().encode('text')
    const verify = createVerifier()
    expect(await verify(identity.publicKey, bytes, await privateKey.sign(bytes))).toBe(true)
    expect(await privateKey.publicKey.verify(bytes, await createSigner(identity).sign(bytes))).toBe(true)
  })

  test('is refused when others may read it, with the way out', () => {
    loadOrCreateIdentity(path)
    chmodSync(path, 0o640)
    expect(() => loadIdentity(path)).toThrow(expect.objectContaining({ code: 'FILE_EXPOSED', exitCode: 2 }))
    expect(() => loadIdentity(path)).toThrow(`chmod 600 ${path}`)
  })

  test('is refused when any character of its file is changed or cut off, and never replaced', () => {
    loadOrCreateIdentity(path)
    const text = readFileSync(path, 'utf8').trim()
    for (let at = 0; at < text.length; at++) {
      const damaged = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1)
      writeFileSync(path, damaged)
      // A seed changed alone no longer fits the stored public half; a changed public half fits no seed.
      expect(() => loadOrCreateIdentity(path)).toThrow(expect.objectContaining({ code: 'IDENTITY_BROKEN' }))
      writeFileSync(path, text.slice(0, at))
      expect(() => loadOrCreateIdentity(path)).toThrow(expect.objectContaining({ code: 'IDENTITY_BROKEN' }))
    }
  })

  test('has one public form', () => {
    const { publicKey, peerId } = loadOrCreateIdentity(path)
    expect(peerIdOf(publicKey)).toBe(peerId)
    expect(parsePublicKey(publicKey)).toBeDefined()
    expect(parsePublicKey(publicKey.subarray(1))).toBeUndefined()
    expect(parsePublicKey(Uint8Array.from(publicKey, (byte, index) => (index === 1 ? 0 : byte)))).toBeUndefined()
  })
})
