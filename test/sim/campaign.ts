import { parseArgs } from 'node:util'
import { Figures } from './figures.ts'
import { drawScenario } from './scenario.ts'
import { simulate } from './simulation.ts'

/** `node test/sim/campaign.ts [seeds] [--from N]`: runs thousands of seeds and prints what happened. */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { from: { type: 'string', default: '1' }, workers: { type: 'string', default: '200' } }
})
const seeds = Number(positionals[0] ?? 2_000)
const from = Number(values.from)
const total = new Figures()
const failures: string[] = []
const startedAtMs = performance.now()
for (let seed = from; seed < from + seeds; seed++) {
  try {
    total.merge(simulate(drawScenario(seed, { workersMax: Number(values.workers), blocksMax: 300 })))
  } catch (error) {
    failures.push(String(error))
  }
}
const { runs, chunks, localChunks, grants, adopted, barred, releases, duplicates, backups, faults } = total
console.log(`runs ${runs}, failed ${failures.length}, in ${((performance.now() - startedAtMs) / 1e3).toFixed(1)} s`)
console.log(`virtual time ${(total.virtualMs / 3_600_000).toFixed(1)} h, ${total.actions} events`)
console.log(`faults ${JSON.stringify(faults)}`)
console.log(`chunks ${chunks} (${localChunks} local), grants ${grants}, adopted ${adopted}, barred ${barred}`)
console.log(`releases ${releases}, duplicates ${duplicates}, backup copies ${backups}`)
console.log(
  `release to next grant, ms: p50 ${total.regrantMs(0.5).toFixed(0)}, p99 ${total.regrantMs(0.99).toFixed(0)}`
)
for (const failure of failures.slice(0, 20)) console.error(failure)
process.exitCode = failures.length > 0 ? 1 : 0
