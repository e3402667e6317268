#!/usr/bin/env node
// The launcher. Plain JavaScript without static dependency imports, so that an old Node can read it: there it hands over
// to the Node that the package brings along. Commands that run a peer also get V8 flags, which exist only on the command
// line. Where the system can replace a process (execve) the pid stays; elsewhere a child runs and shares our fate.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import module from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const NODE_MIN = [22, 12]
/** Node majors that are known to start with {@link PEER_FLAGS}; 22 answers "bad option". */
const PEER_FLAG_MAJORS = [24, 26]
/**
 * V8 counts the buffers of a bulk transfer towards its heap and would mark the whole heap several times a job for them,
 * although they are given back at once: with a limit at twice what is live, buffers included, it does so a few times. Where
 * buffers have a limit of their own, each 64 MB of them are a collection: a job of sound took an eighth more CPU. A peer
 * collects when its work is done, hence expose-gc (src/app/trim-memory.ts). Small semi-spaces keep the young generation in
 * cache. Without incremental marking a transfer took 7 % less CPU, but the submitter of a large product 60 MB more.
 * Measured: test/bench/run.ts.
 */
const PEER_FLAGS = [
  '--max-semi-space-size=1',
  '--heap-growing-percent=100',
  '--external-memory-accounted-in-global-limit',
  '--expose-gc',
  '--disable-warning=ExperimentalWarning'
]
/**
 * glibc: chunk buffers get memory of their own, what is freed goes back to the system, and the threads of each new job
 * leave no heap of theirs behind. Others ignore it.
 */
const PEER_ENV = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '8388608' }
/** Set for the process that was handed over to: `1`, or the number of the pipe that ends with the launcher. */
const HANDED_OVER = 'SWARM_HANDED_OVER'
const LIFELINE_FD = 3
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const EXIT_USAGE = 2
/** What oclif says of an unknown command. */
const EXIT_NOT_FOUND = 127

await launch(process.argv.slice(2))

async function launch(argv) {
  const handedOver = process.env[HANDED_OVER]
  // Not for the processes that this one starts.
  delete process.env[HANDED_OVER]
  if (handedOver !== undefined) {
    if (handedOver !== '1') await endWithLauncher(Number(handedOver))
    await runCommand(argv)
    return
  }
  const node = isAtLeast(process.versions.node, NODE_MIN) ? current() : findPinned()
  if (node === undefined) {
    process.stderr.write(
      `swarm needs Node ${NODE_MIN.join('.')} or newer, this is ${process.versions.node}. Run "npm install" in ${ROOT}, ` +
        'which brings its own Node on Linux and Windows, or install one from https://nodejs.org\n'
    )
    process.exitCode = EXIT_USAGE
    return
  }
  const flags = runsPeer(argv) && PEER_FLAG_MAJORS.includes(parseVersion(node.version)[0]) ? PEER_FLAGS : []
  if (node.path === process.execPath && flags.every((flag) => process.execArgv.includes(flag))) await runCommand(argv)
  else handOver(node.path, [...process.execArgv, ...flags, fileURLToPath(import.meta.url), ...argv])
}

/** Whether this command line runs a peer in this process (help for it does not). */
function runsPeer(argv) {
  if (argv.includes('--help') || argv.includes('-h')) return false
  return ['join', 'submit', 'batch'].includes(argv[0]) || (argv[0] === 'jobs' && argv[1] === 'resume')
}

function current() {
  return { path: process.execPath, version: process.versions.node }
}

/** The Node that npm installed for this system, where there is one. */
function findPinned() {
  const folder = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  // Beside us in a clone; one level up when swarm itself is a dependency.
  for (const modules of [join(ROOT, 'node_modules'), dirname(ROOT)]) {
    const path = join(modules, folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    if (existsSync(path)) {
      const { version } = JSON.parse(readFileSync(join(modules, folder, 'package.json'), 'utf8'))
      return { path, version }
    }
  }
  return undefined
}

function handOver(path, args) {
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    muteExperimentalWarnings()
    process.execve(path, [path, ...args], { ...PEER_ENV, ...process.env, [HANDED_OVER]: '1' })
  }
  const child = spawn(path, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...PEER_ENV, ...process.env, [HANDED_OVER]: String(LIFELINE_FD) }
  })
  // A terminal sends Ctrl-C to the child as well; the command counts signals that come together as one.
  for (const signal of FORWARDED_SIGNALS) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`swarm could not start ${path}: ${error.message}\n`)
    process.exitCode = EXIT_USAGE
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    for (const forwarded of FORWARDED_SIGNALS) process.removeAllListeners(forwarded)
    process.kill(process.pid, signal)
    // Only reached where the signal could not end us.
    process.exitCode = 128 + constants.signals[signal]
  })
}

/** Makes a `kill -9` of the launcher a `kill -9` of this process: the launcher's end of the pipe closes with it. */
async function endWithLauncher(fd) {
  const { Socket } = await import('node:net')
  const lifeline = new Socket({ fd, readable: true, writable: false })
  const end = () => process.kill(process.pid, 'SIGKILL')
  lifeline.on('error', end).on('close', end).resume()
  lifeline.unref()
}

async function runCommand(argv) {
  muteExperimentalWarnings()
  if (!existsSync(join(ROOT, 'dist', 'src', 'commands'))) {
    process.stderr.write(`swarm is not built: run "npm run build" in ${ROOT}\n`)
    process.exitCode = EXIT_USAGE
    return
  }
  // Half of what --help takes is compiling; kept where only the owner of the package can write.
  module.enableCompileCache?.(join(ROOT, 'node_modules', '.cache', 'swarm'))
  const { flush, handle, run } = await import('@oclif/core')
  try {
    await run(argv, import.meta.url)
    await flush()
  } catch (error) {
    // An unknown command is wrong usage, like an unknown flag.
    if (error?.oclif?.exit === EXIT_NOT_FOUND) error.oclif.exit = EXIT_USAGE
    await handle(error)
  }
  // The command has closed what it opened; nothing that is left may keep the process.
  process.exit()
}

/** `node:sqlite` is what the project builds on, its warning helps nobody; all other warnings stay. */
function muteExperimentalWarnings() {
  const emitWarning = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0]
    const name = warning instanceof Error ? warning.name : type
    if (name !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest)
  }
}

function parseVersion(version) {
  return version.split('.').map(Number)
}

function isAtLeast(version, [majorMin, minorMin]) {
  const [major, minor] = parseVersion(version)
  return major > majorMin || (major === majorMin && minor >= minorMin)
}
