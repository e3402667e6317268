// Several joined peers in one process, for campaigns with more peers than a machine has room for processes:
// `node peers-in-one-process.ts FOLDER PREFIX COUNT` with the join code on stdin. Says what `swarm join --json` says.
import { setPriority } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { PeerEvent, SwarmApp } from '../../src/app/api-types.ts'

/** As `nice -n 10`. */
const LOW_PRIORITY = 10
// As built: this Node only strips types, and the generated codecs need more than that.
const built = join(import.meta.dirname, '..', '..', 'dist', 'src', 'app', 'compose.js')
const { openApp }: typeof import('../../src/app/compose.ts') = await import(built)
const [folder = '', prefix = '', count = '1'] = process.argv.slice(2)
const code = (await text(process.stdin)).trim()
const stopped = new AbortController()
const { signal } = stopped
const apps: SwarmApp[] = []
const telling: Promise<void>[] = []
process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())

// On machines of their own they would leave the submitter its cores.
setPriority(LOW_PRIORITY)
for (let index = 0; index < Number(count); index++) {
  const name = `${prefix}-${index}`
  const listen = ['/ip4/127.0.0.1/tcp/0']
  const app = await openApp(
    { home: join(folder, name), role: 'joined', code, name, listen, peers: [], threads: 1, mdns: false },
    { signal }
  )
  apps.push(app)
  telling.push(tell(app.events({ signal })))
}
say({ event: 'all-ready', peers: apps.length })

async function tell(events: AsyncIterable<PeerEvent>): Promise<void> {
  for await (const event of events) if (event.event !== 'chunk-done' && event.event !== 'chunk-receipted') say(event)
}

async function stop(): Promise<void> {
  await Promise.all(apps.map((app) => app.stop()))
  await Promise.all(telling)
  process.exit()
}

function say(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}
