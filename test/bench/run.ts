// `npm run bench -- [--rounds 5] [--only never,auto,…] [--size 605MB] [--big]`: this program against a central server, against one
// process alone and against bare libp2p, all in one run, in alternating rounds; prints tables and leaves .bench/*.json.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parseByteSize } from '../../src/cli/quantities.ts'
import { type BulkReport, compareBulk } from './bulk-protocol.ts'
import { BASELINE, checkResult, inLoop, overBaseline, overSwarm, type Run, type Way } from './job-ways.ts'
import { formatBulk, formatChecks, formatRuns } from './report.ts'
import { measureStartUp } from './start-up.ts'
import { StartedProcesses } from './started-processes.ts'
import { RUN, SwarmOfThree } from './swarm-of-three.ts'
import { bigChecks, bulkChecks, type Check, holds, jobChecks, type Runs, startUpChecks } from './targets.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const REPORTS = join(ROOT, '.bench')
const BYTES_DEFAULT = 635_040_000
const BIG_BYTES = 4_000_000_000
const BULK_BYTES = 512 * 1024 * 1024
const JOBS = ['baseline', 'never', 'auto', 'only', 'loop', 'loop+hmac'] as const
const PARTS = [...JOBS, 'bulk', 'start'] as const
/** Run only when named: `never` in chunks of the smallest size, for what a chunk costs. */
const SMALL_CHUNKS = 'small'
/** Run only when named: they have tables of their own. */
const EXTRA_SCRIPTS: Readonly<Record<string, string>> = { stream: 'bulk-stream.ts', pipeline: 'local-only.ts' }
/** A bare stream takes a fraction of a second, so more rounds cost little. */
const BULK_ROUNDS_FACTOR = 2
const EXIT_INTERRUPTED = 130

interface Options {
  readonly rounds: number
  readonly inputBytes: number
  readonly only: readonly string[]
  readonly big: boolean
}

interface Report {
  readonly checks: Check[]
  readonly json: Record<string, unknown>
}

const processes = new StartedProcesses()
let stopped = false
const stop = (signal: NodeJS.Signals): void => {
  say(`${signal}: ending what was started`)
  stopped = true
  process.exitCode = EXIT_INTERRUPTED
  // What waits for a process goes on when it has ended, and finds that nothing can be started.
  void processes.close()
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)

const options = readOptions()
await mkdir(REPORTS, { recursive: true })
const folder = await mkdtemp(join(REPORTS, 'run-'))
try {
  await bench()
} catch (error) {
  if (!stopped) throw error
} finally {
  await processes.close()
  await rm(folder, { recursive: true, force: true })
}

async function bench(): Promise<void> {
  const load = loadavg().map((value) => Number(value.toFixed(2)))
  say(`Node ${process.version}, ${availableParallelism()} × ${cpus()[0]?.model ?? 'CPU'}, load ${load.join(' ')}`)
  const report: Report = {
    checks: [],
    json: { startedAt: new Date().toISOString(), node: process.version, load, options }
  }
  for (const [name, script] of Object.entries(EXTRA_SCRIPTS)) if (options.only.includes(name)) await runScript(script)
  if (options.big || [...JOBS, SMALL_CHUNKS].some((way) => options.only.includes(way))) await benchJobs(report)
  if (options.only.includes('bulk')) await benchBulk(report)
  if (options.only.includes('start')) {
    const times = measureStartUp(join(folder, 'start-up'), options.rounds)
    report.json.startUp = times
    report.checks.push(...startUpChecks(times))
  }
  if (report.checks.length === 0) return
  say(formatChecks(report.checks))
  const path = join(REPORTS, `${new Date().toISOString().replaceAll(':', '-')}.json`)
  const checks = report.checks.map((check) => ({ ...check, ok: holds(check) }))
  await writeFile(path, `${JSON.stringify({ ...report.json, checks }, undefined, 2)}\n`)
  say(`\n${path}`)
}

/** The job in every way in turn, round by round; then at the big size. */
async function benchJobs(report: Report): Promise<void> {
  const runs = await runRounds(options.inputBytes, options.rounds, options.only)
  say(formatRuns(`${options.inputBytes / 1e6} MB, ${options.rounds} rounds`, runs, options.inputBytes))
  for (const way of ['auto', 'never']) {
    const summary = runs.get(way)?.at(-1)?.summary
    if (summary !== undefined) say(`  ${way} said: ${summary}`)
  }
  report.checks.push(...jobChecks(runs))
  report.json.runs = Object.fromEntries(runs)
  if (!options.big) return
  const overPeers = options.only.filter((way) => way === 'never' || way === 'auto' || way === 'only')
  // Peers that did one job of each way, beside peers that did the same in big.
  const usualRuns = await runRounds(options.inputBytes, 1, overPeers)
  const bigRuns = await runRounds(BIG_BYTES, 1, overPeers)
  say(formatRuns(`${BIG_BYTES / 1e6} MB, one round`, bigRuns, BIG_BYTES))
  report.checks.push(...bigChecks(usualRuns, bigRuns))
  report.json.bigRuns = Object.fromEntries(bigRuns)
}

async function runRounds(inputBytes: number, rounds: number, only: readonly string[]): Promise<Runs> {
  const input = join(folder, `${inputBytes}.f32`)
  say(`generating ${inputBytes / 1e6} MB`)
  await processes.run(process.execPath, [RUN, 'generate', input, '--size', String(inputBytes)])
  const swarm = await SwarmOfThree.start(processes, await mkdtemp(join(folder, 'homes-')))
  const ways = await chooseWays(swarm, only)
  const runs = new Map<string, Run[]>([...ways.keys()].map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, way] of ways) {
      const outDir = await mkdtemp(join(folder, 'out-'))
      const run = await way(input, outDir)
      runs.get(name)?.push(run)
      say(`round ${round + 1} ${name.padEnd(9)} ${(run.ms / 1000).toFixed(2)} s${run.shares ? `  ${run.shares}` : ''}`)
      if (round === 0 && run.summary !== undefined) await checkResult(processes, input, outDir)
      await rm(outDir, { recursive: true })
    }
  }
  await swarm.stop()
  await rm(input)
  return runs
}

async function chooseWays(swarm: SwarmOfThree, only: readonly string[]): Promise<ReadonlyMap<string, Way>> {
  const ways = new Map<string, Way>()
  for (const name of [...JOBS, SMALL_CHUNKS].filter((way) => only.includes(way))) {
    if (name === 'loop' || name === 'loop+hmac') ways.set(name, inLoop(processes, name === 'loop+hmac'))
    else if (name === SMALL_CHUNKS) ways.set(name, overSwarm(swarm, ['--local', 'never', '--chunk-size', '256KiB']))
    else if (name !== 'baseline') ways.set(name, overSwarm(swarm, ['--local', name]))
    else if (existsSync(BASELINE)) ways.set(name, await overBaseline(processes, folder))
    else say(`no baseline at ${BASELINE}: left out`)
  }
  return ways
}

async function benchBulk(report: Report): Promise<void> {
  const rounds = options.rounds * BULK_ROUNDS_FACTOR
  const reports: readonly BulkReport[] = await compareBulk(processes, { rounds, totalBytes: BULK_BYTES })
  say(formatBulk(reports))
  report.json.bulk = reports
  report.checks.push(...bulkChecks(reports))
}

async function runScript(script: string): Promise<void> {
  say(await processes.run(process.execPath, [join(import.meta.dirname, script)]))
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      only: { type: 'string', default: PARTS.join(',') },
      size: { type: 'string', default: String(BYTES_DEFAULT) },
      big: { type: 'boolean', default: false }
    }
  })
  const known: readonly string[] = [...PARTS, SMALL_CHUNKS, ...Object.keys(EXTRA_SCRIPTS)]
  const only = values.only.split(',')
  const unknown = only.filter((part) => !known.includes(part))
  if (unknown.length > 0) throw new Error(`--only takes ${known.join(', ')}, not ${unknown.join(', ')}`)
  const rounds = Number(values.rounds)
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds takes a whole number from 1, not ${values.rounds}`)
  return { rounds, inputBytes: parseByteSize(values.size), only, big: values.big }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
