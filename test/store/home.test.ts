import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createHome, resolveHome, SOCKET_PATH_BYTES_MAX } from '../../src/store/home.ts'
import { acquireHomeLock } from '../../src/store/home-lock.ts'
import { killProcess, startProcess } from './support-process.ts'

const LINUX = { platform: 'linux', userFolder: '/home/ann', temporaryFolder: '/tmp' } as const

describe('where the home is', () => {
  test.each([
    [{ home: '/a' }, { SWARM_HOME: '/b', XDG_DATA_HOME: '/c' }, '/a'],
    [{}, { SWARM_HOME: '/b', XDG_DATA_HOME: '/c' }, '/b'],
    [{ home: '' }, { SWARM_HOME: '', XDG_DATA_HOME: '/c' }, '/c/swarm'],
    [{}, { XDG_DATA_HOME: 'relative' }, '/home/ann/.local/share/swarm'],
    [{}, {}, '/home/ann/.local/share/swarm'],
    [{ platform: 'darwin' as const }, {}, '/home/ann/Library/Application Support/swarm']
  ])('%j with %j is %s', (options, env, folder) => {
    expect(resolveHome({ ...LINUX, ...options, env }).folder).toBe(folder)
  })

  test('has a socket path that every platform can bind, one per home', () => {
    const short = resolveHome({ ...LINUX, home: '/short', env: {} }).socket
    expect(short).toBe('/short/api.sock')
    const paths = [`/${'x'.repeat(120)}`, `/${'y'.repeat(120)}`, `/${'ä'.repeat(50)}`].map(
      (home) => resolveHome({ ...LINUX, home, env: { XDG_RUNTIME_DIR: '/run/user/1' } }).socket
    )
    expect(new Set(paths).size).toBe(paths.length)
    for (const path of paths) {
      expect(path).toMatch(/^\/run\/user\/1\/swarm\/[0-9a-f]{16}\.sock$/u)
      expect(Buffer.byteLength(path)).toBeLessThanOrEqual(SOCKET_PATH_BYTES_MAX)
    }
    const temporary = resolveHome({ ...LINUX, home: `/${'x'.repeat(120)}`, env: {} }).socket
    expect(temporary.startsWith('/tmp/swarm-')).toBe(true)
    const long = resolveHome({ ...LINUX, home: `/${'x'.repeat(120)}`, env: {}, temporaryFolder: `/${'t'.repeat(120)}` })
    expect(Buffer.byteLength(long.socket)).toBeLessThanOrEqual(SOCKET_PATH_BYTES_MAX)
  })
})

describe('a home', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'swarm-home-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('is made for its owner alone, its socket folder too, and is closed to others when it was open', () => {
    const home = join(folder, 'x'.repeat(100), 'home')
    const paths = resolveHome({ home, env: {}, temporaryFolder: folder })
    createHome(paths)
    expect(statSync(paths.folder).mode & 0o777).toBe(0o700)
    expect(statSync(dirname(paths.socket)).mode & 0o777).toBe(0o700)
    chmodSync(paths.folder, 0o755)
    createHome(paths)
    expect(statSync(paths.folder).mode & 0o777).toBe(0o700)
  })

  test('that cannot be made is refused by name', () => {
    writeFileSync(join(folder, 'file'), '')
    const paths = resolveHome({ home: join(folder, 'file', 'home'), env: {} })
    expect(() => createHome(paths)).toThrow(expect.objectContaining({ code: 'HOME_UNUSABLE', exitCode: 2 }))
  })

  test('belongs to one owner at a time, within a process too', () => {
    const paths = resolveHome({ home: folder, env: {} })
    const lock = acquireHomeLock(paths)
    expect(() => acquireHomeLock(paths)).toThrow(expect.objectContaining({ code: 'HOME_IN_USE', exitCode: 75 }))
    expect(() => acquireHomeLock(paths)).toThrow(`${folder} is in use by process ${process.pid}`)
    lock.release()
    lock.release()
    expect(existsSync(paths.pid)).toBe(false)
    acquireHomeLock(paths).release()
  })

  test('of another process is refused until that one is killed', async () => {
    const paths = resolveHome({ home: folder, env: {} })
    const owner = await startProcess('lock-home', [folder])
    expect(() => acquireHomeLock(paths)).toThrow(`process ${owner.pid}`)
    await killProcess(owner)
    acquireHomeLock(paths).release()
  })
})
