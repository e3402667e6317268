import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  BOOTSTRAP_MAX,
  becomeMember,
  leaveSwarm,
  readMembership,
  rememberPeerName,
  requireMembership
} from '../../src/store/swarm-secret.ts'

const FIRST = { name: 'studio', secret: new Uint8Array(32).fill(7), bootstrap: ['/ip4/10.0.0.1/tcp/1'] }
const OTHER = { name: 'lab', secret: new Uint8Array(32).fill(8), bootstrap: [] }

describe('membership', () => {
  let folder: string
  let path: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarm-member-'))
    path = join(folder, 'swarm.json')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('is none at first, and commands that need one say what to do', () => {
    expect(readMembership(path)).toBeUndefined()
    expect(() => requireMembership(path)).toThrow(expect.objectContaining({ code: 'NOT_A_MEMBER', exitCode: 4 }))
  })

  test('is kept for its owner alone', () => {
    becomeMember(path, FIRST)
    expect(readMembership(path)).toEqual(FIRST)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    chmodSync(path, 0o644)
    expect(() => readMembership(path)).toThrow(expect.objectContaining({ code: 'FILE_EXPOSED' }))
  })

  test('of the same swarm gathers addresses, newest first and bounded, and keeps the name', () => {
    becomeMember(path, { ...FIRST, peerName: 'ann' })
    const more = Array.from({ length: BOOTSTRAP_MAX }, (_, index) => `/ip4/10.0.0.2/tcp/${index + 1}`)
    const joined = becomeMember(path, { ...FIRST, name: 'renamed', bootstrap: more.slice(0, 3) })
    expect(joined).toEqual({ ...FIRST, bootstrap: [...more.slice(0, 3), ...FIRST.bootstrap], peerName: 'ann' })
    expect(becomeMember(path, { ...FIRST, bootstrap: more }).bootstrap).toEqual(more)
  })

  test('of another swarm is refused, and possible after leaving', () => {
    becomeMember(path, FIRST)
    const join = () => becomeMember(path, OTHER)
    expect(join).toThrow(expect.objectContaining({ code: 'ALREADY_MEMBER', exitCode: 2 }))
    expect(join).toThrow('--home')
    expect(readMembership(path)).toEqual(FIRST)
    leaveSwarm(path)
    expect(becomeMember(path, OTHER)).toEqual(OTHER)
  })

  test('remembers the name of the peer, and refuses one that could drive a terminal', () => {
    becomeMember(path, FIRST)
    rememberPeerName(path, 'Ann’s laptop')
    expect(requireMembership(path).peerName).toBe('Ann’s laptop')
    for (const name of ['', 'a\u001b[2J', 'ä'.repeat(32), '\ud800']) {
      expect(() => rememberPeerName(path, name)).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }))
    }
    expect(() => becomeMember(path, { ...FIRST, secret: new Uint8Array(31) })).toThrow(
      expect.objectContaining({ code: 'SECRET_LENGTH' })
    )
  })

  test('that is damaged is refused, naming the file', () => {
    becomeMember(path, FIRST)
    const text = readFileSync(path, 'utf8')
    const damaged = [
      text.slice(0, -3),
      'null',
      text.replace('"version": 1', '"version": 2'),
      text.replace('07', '0x'),
      text.replace('"name"', '"nome"'),
      text.replace('["', '[1, "').replace('[\n', '[1,\n'),
      text.replace('"version"', '"peerName": 3, "version"')
    ]
    for (const content of damaged) {
      writeFileSync(path, content)
      expect(() => readMembership(path)).toThrow(expect.objectContaining({ code: 'MEMBERSHIP_BROKEN' }))
    }
  })
})
