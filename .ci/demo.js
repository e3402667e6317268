// `npm run demo`: three peers on this machine, one job over them, one of them killed in the middle; then the result is
// decrypted and compared with what one machine computes, and the ledger says who did what.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '..')
const RUN = join(ROOT, 'bin', 'run.js')
const FOLDER = join(ROOT, '.demo')
const SIZE = process.env.SWARM_DEMO_SIZE ?? '256MiB'
const BLOCK_BYTES = 4 * 1024 * 1024
/** The victim dies once this part of the job is merged. */
const KILL_AT = 0.25

const started = []

try {
  await demo()
} catch (error) {
  say(`failed: ${error.message}`)
  process.exitCode = 1
} finally {
  for (const child of started) child.kill('SIGTERM')
}

async function demo() {
  await rm(FOLDER, { recursive: true, force: true })
  await mkdir(FOLDER)
  const input = join(FOLDER, 'noise.f32')
  const out = join(FOLDER, 'out')
  say(`writing ${SIZE} of Float32 noise`)
  await swarm('studio', 'generate', input, '--size', SIZE)

  say('starting three peers: studio founds the swarm, attic and laptop join it with its code')
  const { ready } = await joinSwarm('studio')
  await joinSwarm('attic', ready.code)
  const laptop = await joinSwarm('laptop', ready.code)

  say('submitting: invert, reverse and encrypt, all of it on the other two; laptop will be killed on the way')
  let killed = false
  const done = await submit(input, out, (event) => {
    if (event.event === 'released')
      say(`chunk ${event.chunkIndex} came back after ${event.afterMs.toFixed(0)} ms (${event.reason})`)
    if (event.event !== 'progress' || killed || event.mergedBytes < event.inputBytes * KILL_AT) return
    killed = true
    say(`${Math.floor((event.mergedBytes / event.inputBytes) * 100)} % merged: kill -9 laptop`)
    laptop.child.kill('SIGKILL')
  })
  say(`done in ${(done.totalMs / 1000).toFixed(1)} s: ${done.summary}`)
  for (const peer of done.peers) say(`  ${peer.name}: ${peer.chunks} chunks, ${peer.units} units of credit`)

  say('decrypting, and comparing with the same job done by hand on one machine')
  await swarm('studio', 'decrypt', out, '--out', join(FOLDER, 'result.f32'))
  const expected = await hashInvertedReversed(input)
  const found = await hashFile(join(FOLDER, 'result.f32'))
  if (expected !== found) throw new Error(`the result has SHA-256 ${found}, expected ${expected}`)
  say(`the same bytes: SHA-256 ${found}`)

  say('who did what, proved by two signatures on each receipt:')
  await swarm('studio', 'ledger', '--job', done.jobId)
  await swarm('studio', 'ledger', 'verify', done.outputs.ledger, '--input', input)
  say(`everything is in ${FOLDER}`)
}

/** Starts a peer and waits until it is ready. */
async function joinSwarm(name, code) {
  const args = ['join', ...(code === undefined ? [] : ['-']), '--name', name, '--threads', '1', '--no-mdns', '--json']
  const child = start(name, args, ['pipe', 'pipe', 'inherit'])
  started.push(child)
  child.stdin.end(code)
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line)
    if (event.event === 'error') throw new Error(`${name}: ${event.message}`)
    if (event.event !== 'ready') continue
    child.stdout.resume()
    return { child, ready: event }
  }
  throw new Error(`${name} ended before it was ready`)
}

async function submit(input, out, onEvent) {
  const args = ['submit', input, '--out', out, '--local', 'never', '--min-peers', '2', '--wait', '30s', '--json']
  const child = start('studio', args, ['ignore', 'pipe', 'inherit'])
  let last
  for await (const line of createInterface({ input: child.stdout })) {
    last = JSON.parse(line)
    onEvent(last)
  }
  if (last?.event !== 'done') throw new Error(`the job did not finish: ${last?.message ?? 'no event came'}`)
  return last
}

/** Runs one command and shows what it prints. */
async function swarm(home, ...args) {
  const child = start(home, args, ['ignore', 'inherit', 'inherit'])
  const code = await new Promise((resolve) => child.on('exit', resolve))
  if (code !== 0) throw new Error(`swarm ${args[0]} ended with exit code ${code}`)
}

function start(home, args, stdio) {
  return spawn(process.execPath, [RUN, ...args, '--home', join(FOLDER, home)], { stdio })
}

/** The job done by hand: samples from the last to the first, each with its sign bit flipped. */
async function hashInvertedReversed(path) {
  const hash = createHash('sha256')
  const { size } = await stat(path)
  const file = await open(path)
  try {
    for (let end = size; end > 0; end -= BLOCK_BYTES) {
      const start = Math.max(0, end - BLOCK_BYTES)
      const { buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start)
      const samples = new Uint32Array(buffer.buffer, buffer.byteOffset, buffer.byteLength / 4).reverse()
      for (let index = 0; index < samples.length; index++) samples[index] ^= 0x80000000
      hash.update(buffer)
    }
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

async function hashFile(path) {
  const hash = createHash('sha256')
  const file = await open(path)
  try {
    for await (const block of file.createReadStream()) hash.update(block)
  } finally {
    await file.close()
  }
  return hash.digest('hex')
}

function say(text) {
  process.stderr.write(`demo: ${text}\n`)
}
