#!/usr/bin/env node
// `npm run demo [-- FILE] [--kill] [--size SIZE]`: three peers on this machine and one job, shown as a user would see it;
// the result is compared with what one machine computes without swarm, and the ledger says who did what. Everything it
// writes is in .demo, which is removed at the end, however that comes. Plain JavaScript, for any Node.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const RUN = join(ROOT, 'bin', 'run.js')
const FOLDER = join(ROOT, '.demo')
/** Process id of the demo that owns the folder. */
const OWNER = join(FOLDER, 'pid')
/** One hour of mono Float32 at 44.1 kHz. */
const SIZE_DEFAULT = '635040000'
const BLOCK_BYTES = 4 * 1024 * 1024
/** Which receipt the victim of `--kill` does not outlive. */
const KILL_AFTER_CHUNKS = 20
/** Time for a process to end by itself before it is killed. */
const END_TIMEOUT_MS = 3_000
const COMPLAINT_BYTES_MAX = 4_096
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

/** Processes that run. */
const running = new Set()
/** Why the demo ends before its end. */
let ending

process.exitCode = await main()

async function main() {
  const startedMs = Date.now()
  let options
  try {
    options = readOptions()
    claimFolder()
  } catch (error) {
    return failed(error)
  }
  for (const signal of Object.keys(SIGNALS)) process.on(signal, () => endEarly({ signal }))
  try {
    await demo(options)
    say(`all of it took ${((Date.now() - startedMs) / 1000).toFixed(0)} s; everything is stopped and ${FOLDER} removed`)
    return 0
  } catch (error) {
    if (ending?.signal === undefined) return failed(ending?.error ?? error)
    say(`${ending.signal}: stopped and cleaned up`)
    return SIGNALS[ending.signal]
  } finally {
    ending ??= {}
    await Promise.all([...running].map(end))
    rmSync(FOLDER, { recursive: true, force: true })
  }
}

async function demo({ file, kill, size }) {
  const input = file ?? join(FOLDER, 'noise.f32')
  const out = join(FOLDER, 'out')
  if (file === undefined) {
    title('an hour of sound, as Float32 samples: noise')
    await swarm('generate', input, '--size', size)
  }

  title('three peers, each with a home of its own: studio founds a swarm, attic and laptop join it with its code')
  const code = await joinSwarm('studio')
  await joinSwarm('attic', code)
  await joinSwarm('laptop', code, kill ? KILL_AFTER_CHUNKS : undefined)

  title(
    `studio submits ${basename(input)}: invert, reverse, encrypt; all of it on the other two, so that they are seen`
  )
  await swarm('submit', input, '--out', out, '--local', 'never', '--min-peers', '2', '--wait', '30s')

  title('decrypting the result, and computing the same on this machine without swarm')
  const result = join(FOLDER, 'result.f32')
  await swarm('decrypt', out, '--out', result)
  const [found, expected] = [await hashFile(result), await hashInvertedReversed(input)]
  if (expected !== found) throw new Error(`the result has SHA-256 ${found}, expected ${expected}`)
  process.stdout.write(`SHA-256 of the result    ${found}\nSHA-256 computed alone   ${expected}\nthe same bytes\n`)

  title('who did what: two signatures on each receipt, checked here; then all of it once more from the file alone')
  await swarm('ledger')
  await swarm('ledger', 'verify', join(out, 'ledger.bin'), '--input', input)
}

/** Starts a peer and waits until it is ready. @returns the join code */
function joinSwarm(name, code, killAfterChunks = Number.POSITIVE_INFINITY) {
  // Other swarms on the network need not hear of this one; three peers share the machine.
  const args = ['join', ...(code === undefined ? [] : ['-']), '--name', name, '--threads', '1', '--no-mdns', '--json']
  const child = start(name, args, ['pipe', 'pipe', 'pipe'])
  child.stdin.end(code)
  let complaints = ''
  child.stderr.on('data', (data) => {
    complaints = `${complaints}${data}`.slice(-COMPLAINT_BYTES_MAX)
  })
  let chunks = 0
  let killed = false
  return new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const event = JSON.parse(line)
      if (event.event === 'error') complaints = event.message
      if (event.event === 'ready') {
        say(`${name} is ready`)
        resolve(event.code)
      }
      if (event.event !== 'chunk-receipted' || ++chunks < killAfterChunks || killed) return
      killed = true
      say(`kill -9 ${name}, after ${chunks} chunks`)
      child.kill('SIGKILL')
    })
    child.once('close', (status, signal) => {
      if (!killed) endEarly({ error: new Error(`${name} ended with ${status ?? signal}: ${complaints.trim()}`) })
    })
  })
}

/** Runs one command of studio's and shows what it prints. */
async function swarm(...args) {
  process.stdout.write(`$ swarm ${args.map((arg) => (arg.startsWith(FOLDER) ? basename(arg) : arg)).join(' ')}\n`)
  const child = start('studio', args, 'inherit')
  const status = await new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal)))
  throwIfEnding()
  if (status !== 0) throw new Error(`swarm ${args[0]} ended with ${status}`)
}

function start(home, args, stdio) {
  throwIfEnding()
  const child = spawn(process.execPath, [RUN, ...args, '--home', join(FOLDER, home)], { stdio })
  running.add(child)
  child.once('error', (error) => endEarly({ error }))
  child.once('close', () => running.delete(child))
  return child
}

/** Ends all processes, so that whoever waits for one goes on, and throws. */
function endEarly(reason) {
  if (ending !== undefined) return
  ending = reason
  for (const child of running) void end(child)
}

function throwIfEnding() {
  if (ending !== undefined) throw ending.error ?? new Error('stopped')
}

async function end(child) {
  if (!running.has(child) || child.pid === undefined) return
  const ended = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), END_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

/** The job done by hand: samples from the last to the first, each with its sign bit flipped. */
async function hashInvertedReversed(path) {
  const hash = createHash('sha256')
  const { size } = await stat(path)
  const file = await open(path)
  try {
    for (let end = size; end > 0; end -= BLOCK_BYTES) {
      throwIfEnding()
      const block = Buffer.alloc(Math.min(BLOCK_BYTES, end))
      const { bytesRead } = await file.read(block, 0, block.byteLength, end - block.byteLength)
      if (bytesRead !== block.byteLength) throw new Error(`${path} changed while it was read`)
      const samples = new Uint32Array(block.buffer, block.byteOffset, block.byteLength / 4).reverse()
      for (let index = 0; index < samples.length; index++) samples[index] ^= 0x80000000
      hash.update(block)
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

async function hashFile(path) {
  const hash = createHash('sha256')
  for await (const block of createReadStream(path)) {
    throwIfEnding()
    hash.update(block)
  }
  return hash.digest('hex')
}

function readOptions() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { kill: { type: 'boolean', default: false }, size: { type: 'string', default: SIZE_DEFAULT } }
  })
  if (positionals.length > 1) throw new Error('it takes one file at most')
  // npm runs scripts in the package's folder; the user may have called from another.
  const [file] = positionals.map((path) => resolve(process.env.INIT_CWD ?? '.', path))
  return { ...values, file }
}

/** Makes the folder, over what a demo that was killed has left. */
function claimFolder() {
  const owner = readOwner()
  if (owner !== undefined && isRunning(owner)) throw new Error(`another demo runs (process ${owner})`)
  rmSync(FOLDER, { recursive: true, force: true })
  mkdirSync(FOLDER)
  writeFileSync(OWNER, String(process.pid), { flag: 'wx' })
}

function readOwner() {
  try {
    return Number(readFileSync(OWNER, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function isRunning(pid) {
  try {
    return pid > 0 && process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function title(text) {
  process.stdout.write(`\n=== ${text}\n`)
}

function say(text) {
  process.stdout.write(`demo: ${text}\n`)
}

function failed(error) {
  process.stderr.write(`demo: failed: ${error.message}\n`)
  return 1
}
