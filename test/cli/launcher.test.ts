import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, test } from 'vitest'

const RUN = join(import.meta.dirname, '..', '..', 'bin', 'run.js')

/** Each Node process that starts says who it is, and when it listens for signals (SIGHUP is the last of them). */
const SPY = `import process from 'node:process'
process.stderr.write('start ' + process.pid + ' ' + JSON.stringify(process.execArgv) + '\\n')
process.on('newListener', (name) => name === 'SIGHUP' && process.stderr.write('listens ' + process.pid + '\\n'))`
const NO_EXECVE = 'data:text/javascript,process.execve=undefined'

interface Launched {
  readonly child: ChildProcess
  /** Waits for a line on stderr that matches. */
  line(pattern: RegExp): Promise<RegExpExecArray>
  /** Exit of the launcher, once nobody holds its streams any more. */
  readonly closed: Promise<{ code: number | null; signal: string | null }>
}

function launch(nodeArgs: readonly string[], args: readonly string[], node = process.execPath): Launched {
  const preload = `data:text/javascript,${encodeURIComponent(SPY)}`
  const child = spawn(node, [...nodeArgs, RUN, ...args], {
    env: { ...process.env, NODE_OPTIONS: `--import=${preload}`, SWARM_CODE: '' },
    stdio: ['pipe', 'pipe', 'pipe']
  })
  const seen: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stderr }).on('line', (text) => {
    seen.push(text)
    for (const wake of waiting) wake()
  })
  child.stdout.resume()
  return {
    child,
    line: async (pattern) => {
      for (let index = 0; ; index++) {
        while (index >= seen.length) await new Promise<void>((resolve) => waiting.add(resolve))
        const match = pattern.exec(seen[index] ?? '')
        if (match !== null) return match
      }
    },
    closed: once(child, 'close').then(([code, signal]) => ({ code, signal }))
  }
}

/** A Node on the PATH that is too old to run swarm itself. */
const oldNode = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find((path) => /^v(?:1\d|20|21)\./.test(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? ''))

function startOf(pid: string | number): RegExp {
  return new RegExp(`^start (${pid}) (.*)$`)
}

describe('launcher', () => {
  test('keeps its process id when it takes on the flags of a peer', async () => {
    const { child, closed, line } = launch([], ['join', '-'])
    await line(/^start \d+ \[.*--max-semi-space-size=1/)
    const again = await line(new RegExp(`^start (${child.pid}) .*--heap-growing-percent=100`))
    expect(again[0]).toContain('--max-semi-space-size=1')
    await line(/^listens/)
    child.kill('SIGINT')
    expect(await closed).toEqual({ code: 130, signal: null })
  })

  test('gives no flags to commands that run no peer', async () => {
    const { closed, line } = launch([], ['jobs', 'show', 'no-id'])
    expect((await line(/^start (\d+) (.*)$/))[2]).toBe('[]')
    expect(await closed).toEqual({ code: 2, signal: null })
  })

  test.skipIf(oldNode === undefined)(
    'hands over from an old Node to the one that came along, with its flags',
    async () => {
      const { child, closed, line } = launch([], ['join', '-'], oldNode)
      await line(startOf(child.pid ?? 0))
      const inner = await line(new RegExp(`^start (?!${child.pid} )(\\d+) .*--max-semi-space-size=1`))
      await line(new RegExp(`^listens ${inner[1]}$`))
      child.kill('SIGKILL')
      expect(await closed).toEqual({ code: null, signal: 'SIGKILL' })
    }
  )

  describe('where a process cannot be replaced', () => {
    const nodeArgs = ['--import', NO_EXECVE]

    async function launchJoin() {
      const launched = launch(nodeArgs, ['join', '-'])
      await launched.line(startOf(launched.child.pid ?? 0))
      const inner = await launched.line(new RegExp(`^start (?!${launched.child.pid} )(\\d+) `))
      await launched.line(new RegExp(`^listens ${inner[1]}$`))
      return launched
    }

    test('forwards a signal and the exit code', async () => {
      const { child, closed } = await launchJoin()
      child.kill('SIGTERM')
      expect(await closed).toEqual({ code: 130, signal: null })
    })

    test('forwards wrong usage as exit code 2', async () => {
      const { child, closed } = await launchJoin()
      child.stdin?.end()
      expect(await closed).toEqual({ code: 2, signal: null })
    })

    test('leaves no orphan when it is killed', async () => {
      const { child, closed } = await launchJoin()
      child.kill('SIGKILL')
      // `close` comes only when the inner process has let go of the streams too.
      expect(await closed).toEqual({ code: null, signal: 'SIGKILL' })
    })
  })
})
