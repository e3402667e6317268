// Echoes 605 MB between two processes over one long-lived stream, for every variant in turn, several rounds, and prints
// medians and ratios to the first variant. `node test/bench/bulk-stream.ts [--rounds 5] [--only NAME,NAME]`
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { median } from './figures.ts'
import { PEER_FLAGS } from './v8-flags.ts'

const MIB = 1024 * 1024
const PEER = new URL('./bulk-stream-peer.ts', import.meta.url).pathname

interface Variant {
  readonly tuned: boolean
  /** Gives consumed buffers back at once. */
  readonly recycle: boolean
  readonly flags: readonly string[]
  readonly chunkBytes: number
  readonly depth: number
  readonly pieceBytes: number
}

const SEMI_SPACE = ['--max-semi-space-size=4']
const stock: Variant = { tuned: false, recycle: false, flags: [], chunkBytes: 4 * MIB, depth: 4, pieceBytes: 1_048_292 }
const tuned: Variant = { ...stock, tuned: true, recycle: true }
const variants: Record<string, Variant> = {
  'stock 4x4': stock,
  'stock 4x4 +flags': { ...stock, flags: PEER_FLAGS },
  'tuned 4x4, no recycle': { ...tuned, recycle: false },
  'tuned 4x4': tuned,
  'tuned 4x4 +flags': { ...tuned, flags: PEER_FLAGS },
  'tuned 4x4 +semi': { ...tuned, flags: SEMI_SPACE },
  'tuned 4x2 +semi': { ...tuned, flags: SEMI_SPACE, depth: 2 },
  'tuned 2x4 +semi': { ...tuned, flags: SEMI_SPACE, chunkBytes: 2 * MIB },
  'tuned 1x8 +semi': { ...tuned, flags: SEMI_SPACE, chunkBytes: MIB, depth: 8 },
  'tuned 1x4 +semi': { ...tuned, flags: SEMI_SPACE, chunkBytes: MIB },
  'tuned 4x4 +semi 256K pieces': { ...tuned, flags: SEMI_SPACE, pieceBytes: 4 * 65519 - 12 }
}

interface Figures {
  readonly wallMs: number
  readonly cpuMs: number
  readonly rssMB: number
  readonly echoCpuMs: number
  readonly echoRssMB: number
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    bytes: { type: 'string', default: '635040000' },
    'node-flags': { type: 'string', default: '' }
  }
})
const totalBytes = Number(values.bytes)

function startPeer(variant: Variant, role: 'echo' | 'client', address = ''): ChildProcess {
  const { flags, ...setup } = variant
  const extra = role === 'client' && values['node-flags'] ? values['node-flags'].split(' ') : []
  const argument = JSON.stringify({ ...setup, role, address, totalBytes })
  return spawn(process.execPath, [...flags, ...extra, PEER, argument], { stdio: ['ignore', 'pipe', 'inherit'] })
}

async function* lines(child: ChildProcess): AsyncGenerator<Record<string, never>> {
  if (child.stdout === null) {
    throw new Error('the peer has no stdout')
  }
  for await (const line of createInterface({ input: child.stdout })) {
    yield JSON.parse(line)
  }
}

async function nextLine(from: AsyncGenerator<Record<string, never>>): Promise<Record<string, never>> {
  const { value, done } = await from.next()
  if (done) {
    throw new Error('the peer ended without figures')
  }
  return value
}

async function measure(variant: Variant): Promise<Figures> {
  const echo = startPeer(variant, 'echo')
  const echoLines = lines(echo)
  try {
    const { address } = await nextLine(echoLines)
    const client = await nextLine(lines(startPeer(variant, 'client', address)))
    echo.kill('SIGTERM')
    const { cpuMs, rssMB } = await nextLine(echoLines)
    return { ...(client as unknown as Figures), echoCpuMs: cpuMs ?? 0, echoRssMB: rssMB ?? 0 }
  } finally {
    echo.kill('SIGKILL')
  }
}

const chosen = Object.entries(variants).filter(([name]) => !values.only || values.only.split(',').includes(name))
const results = new Map<string, Figures[]>(chosen.map(([name]) => [name, []]))
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [name, variant] of chosen) {
    results.get(name)?.push(await measure(variant))
  }
}

const rows = [...results].map(([name, runs]) => {
  const of = (key: keyof Figures) => median(runs.map((run) => run[key]))
  return {
    name,
    wallMs: of('wallMs'),
    cpuMs: of('cpuMs'),
    rssMB: of('rssMB'),
    echoCpuMs: of('echoCpuMs'),
    echoRssMB: of('echoRssMB')
  }
})
const first = rows[0]
console.table(
  Object.fromEntries(
    rows.map((row) => [
      row.name,
      {
        'MB/s': Math.round(totalBytes / 1000 / row.wallMs),
        'speed ×': Number(((first?.wallMs ?? 0) / row.wallMs).toFixed(2)),
        'CPU s': Number((row.cpuMs / 1000).toFixed(2)),
        'peak MB': Math.round(row.rssMB),
        'echo CPU s': Number((row.echoCpuMs / 1000).toFixed(2)),
        'echo peak MB': Math.round(row.echoRssMB)
      }
    ])
  )
)
