// A member that computes well but serves operand blocks badly, as a process of its own:
// `node matrix-odd-peer.ts FOLDER NAME false|silent` with the join code on stdin. Says what `swarm join --json` says, and
// `asked` each time it is asked for a range. `false` gives other bytes, `silent` none for ever.
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { OperandHandler } from '../../protocols/operand/types.ts'

// As built: this Node only strips types, and the generated codecs need more than that.
const built = join(import.meta.dirname, '..', '..', 'dist')
const { openApp }: typeof import('../../src/app/compose.ts') = await import(join(built, 'src/app/compose.js'))
const { OperandProtocol }: typeof import('../../protocols/operand/server.ts') = await import(
  join(built, 'protocols/operand/server.js')
)
const [folder = '', name = '', how = ''] = process.argv.slice(2)
const code = (await text(process.stdin)).trim()
const stopped = new AbortController()
const { signal } = stopped

const { setHandler } = OperandProtocol.prototype
OperandProtocol.prototype.setHandler = function set(handler: OperandHandler | undefined): void {
  setHandler.call(this, handler && odd(handler))
}
const app = await openApp(
  {
    home: join(folder, name),
    role: 'joined',
    code,
    name,
    listen: ['/ip4/127.0.0.1/tcp/0'],
    peers: [],
    threads: 1,
    mdns: false
  },
  { signal }
)
process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())
for await (const event of app.events({ signal })) say(event)

function odd(handler: OperandHandler): OperandHandler {
  return {
    read: async (peerId, range, options) => {
      say({ event: 'asked', peerId: peerId.toString() })
      if (how === 'silent') return new Promise<Uint8Array>(() => undefined)
      const bytes = (await handler.read(peerId, range, options)).slice()
      bytes[0] = (bytes[0] ?? 0) ^ 1
      return bytes
    }
  }
}

async function stop(): Promise<void> {
  await app.stop()
  process.exit()
}

function say(event: object): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}
