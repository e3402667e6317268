import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keepListen, keptListen } from '../../src/app/kept-listen.ts'
import { LISTEN_DEFAULT } from '../../src/network/create-node.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-listen-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('the ports that a joined peer keeps', () => {
  test('are any at the first start, and those of last time after', () => {
    expect(keptListen(folder)).toEqual(LISTEN_DEFAULT)
    keepListen(folder, [
      multiaddr('/ip4/127.0.0.1/tcp/40001'),
      multiaddr('/ip4/192.0.2.7/tcp/40001'),
      multiaddr('/ip4/127.0.0.1/tcp/40002/ws')
    ])
    expect(keptListen(folder)).toEqual(['/ip4/0.0.0.0/tcp/40001', '/ip4/0.0.0.0/tcp/40002/ws'])
  })

  test('are not kept when one of the two is missing', () => {
    keepListen(folder, [multiaddr('/ip4/127.0.0.1/tcp/40001')])
    expect(keptListen(folder)).toEqual(LISTEN_DEFAULT)
  })

  test.each([
    '',
    '{}',
    '[]',
    '["/ip4/0.0.0.0/tcp/0", "/ip4/0.0.0.0/tcp/1/ws"]',
    '["/ip4/203.0.113.1/tcp/1", "/ip4/0.0.0.0/tcp/1/ws"]'
  ])('are any when what is kept is damaged: %s', (text) => {
    writeFileSync(join(folder, 'listen.json'), text)
    expect(keptListen(folder)).toEqual(LISTEN_DEFAULT)
  })
})
