import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('./support-child.ts', import.meta.url))

/** The generated codecs use namespaces, which Node has to translate rather than strip. */
const TYPES = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning']

/** Starts a process of `support-child.ts` and waits for its first output. */
export async function startProcess(role: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...TYPES, SCRIPT, role, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${role} ended early`)
  })
  // The process is meant to be killed later; only an end before its first output is an error.
  ended.catch(() => undefined)
  await Promise.race([once(child.stdout, 'data'), ended])
  return child
}

/** Kills it as a power button would, and waits until it is gone. */
export async function killProcess(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
