import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { median } from './figures.ts'
import { RUN } from './swarm-of-three.ts'

/** How long one command takes from one Node, in ms. */
export interface StartUp {
  readonly command: string
  readonly node: string
  readonly ms: number
}

const COMMANDS = ['--help', 'ledger'] as const

/** Times the commands that must answer at once, from every Node on the PATH; alternating, after one run each to warm up. */
export function measureStartUp(home: string, rounds: number): readonly StartUp[] {
  const cases = findNodes().flatMap(({ path, version }) => COMMANDS.map((command) => ({ path, version, command })))
  const times = new Map<string, number[]>()
  for (let round = 0; round <= rounds; round++) {
    for (const { path, version, command } of cases) {
      const startedMs = performance.now()
      const { status, stderr } = spawnSync(path, [RUN, command], { env: { ...process.env, SWARM_HOME: home } })
      const ms = performance.now() - startedMs
      if (status !== 0) throw new Error(`swarm ${command} ended with ${status}: ${stderr}`)
      const key = `${version} ${command}`
      if (round > 0) times.set(key, [...(times.get(key) ?? []), ms])
    }
  }
  return cases.map(({ version, command }) => ({
    command,
    node: version,
    ms: median(times.get(`${version} ${command}`) ?? [])
  }))
}

/** This Node, and the first one on the PATH of another version: the system's, which hands over to the pinned one. */
function findNodes(): readonly { path: string; version: string }[] {
  const found = [{ path: process.execPath, version: process.version }]
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, process.platform === 'win32' ? 'node.exe' : 'node')
    if (!existsSync(path)) continue
    const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim()
    if (found.every((known) => known.version !== version)) found.push({ path, version })
  }
  return found
}
