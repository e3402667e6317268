import { join } from 'node:path'
import { type BulkFigure, type BulkWay, type Direction, LARGE_BYTES, SMALL_BYTES } from './bulk-figures.ts'
import { median } from './figures.ts'
import { jsonLines, type StartedProcesses } from './started-processes.ts'
import { PEER_FLAGS } from './v8-flags.ts'

const PEER = join(import.meta.dirname, 'bulk-protocol-peer.ts')

/** The bulk protocols beside a bare stream of the same tuned connection, one direction each. */
export interface BulkReport {
  readonly direction: Direction
  readonly protocol: 'chunk' | 'result'
  /** Medians in bytes per second. */
  readonly speeds: Readonly<Partial<Record<BulkWay, number>>>
  /** Speed of the protocol with large chunks by that of the bare stream whose receiver keeps the bytes. */
  readonly ratio: number
  /** The same of the best runs. */
  readonly bestRatio: number
  readonly msPerExtraChunk: number
}

/** Moves the same bytes in every way in turn, between two processes. */
export async function compareBulk(
  processes: StartedProcesses,
  options: { readonly rounds: number; readonly totalBytes: number }
): Promise<readonly BulkReport[]> {
  const { totalBytes } = options
  const start = (...args: string[]) =>
    processes.start(process.execPath, [...PEER_FLAGS, PEER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const server = start('serve', String(totalBytes))
  const ready = await jsonLines(server).next()
  const client = start('measure', JSON.stringify({ ...options, address: ready.value?.address }))
  const figures: BulkFigure[] = []
  for await (const figure of jsonLines(client)) figures.push(figure as unknown as BulkFigure)
  await processes.succeeded(client)
  await processes.end(server)
  return (['in', 'out'] as const).map((direction) => reportOf(direction, figures, totalBytes))
}

function reportOf(direction: Direction, figures: readonly BulkFigure[], totalBytes: number): BulkReport {
  const own = figures.filter((figure) => figure.direction === direction)
  const times = (way: BulkWay): readonly number[] => own.filter((figure) => figure.way === way).map(({ ms }) => ms)
  const ms = (way: BulkWay): number => median(times(way))
  const ways = new Set(own.map(({ way }) => way))
  const extraChunks = Math.ceil(totalBytes / SMALL_BYTES) - Math.ceil(totalBytes / LARGE_BYTES)
  return {
    direction,
    protocol: direction === 'in' ? 'chunk' : 'result',
    speeds: Object.fromEntries([...ways].map((way) => [way, (totalBytes * 1000) / ms(way)])),
    ratio: ms('copied') / ms('large'),
    bestRatio: Math.min(...times('copied')) / Math.min(...times('large')),
    msPerExtraChunk: (ms('small') - ms('large')) / extraChunks
  }
}
