import { Flags } from '@oclif/core'
import type { HomeRecords, OpenOptions, SwarmApp } from '../../app/api-types.ts'
import { BaseCommand } from '../../cli/base-command.ts'
import { parseByteSize } from '../../cli/quantities.ts'
import { type AppSource, appSource } from './app-source.ts'

/** Most kernel threads that may be asked for. */
export const THREADS_MAX = 1_024

/** Longest time that a command waits for what it opened to stop. A second Ctrl-C ends it at once. */
export const STOP_TIMEOUT_MS = 10_000

/** Flags of commands that may run a peer. */
export const peerFlags = {
  name: Flags.string({ description: 'Name of this peer (default: the host name)', helpValue: 'NAME' }),
  listen: Flags.string({
    description: 'Address to listen on, as a multiaddr; may be given again',
    helpValue: 'MULTIADDR',
    multiple: true,
    multipleNonGreedy: true
  }),
  peer: Flags.string({
    description: 'Address of a peer to dial, as a multiaddr; may be given again',
    helpValue: 'MULTIADDR',
    multiple: true,
    multipleNonGreedy: true
  }),
  threads: Flags.integer({ description: 'Threads that compute (default: as many as cores)', min: 1, max: THREADS_MAX }),
  device: Flags.option({
    description: 'What matrix products are computed on; auto takes a GPU that is faster (default: cpu)',
    options: ['auto', 'cpu', 'gpu'] as const
  })(),
  'max-memory': Flags.string({
    description: 'What this process may take in all, such as 512MB, while it works for others',
    helpValue: 'SIZE'
  }),
  mdns: Flags.boolean({ description: 'Find peers on the local network by mDNS', default: true, allowNo: true })
}

/** What {@link peerFlags} parse to. */
export interface PeerFlags {
  readonly home?: string | undefined
  readonly name?: string | undefined
  readonly listen?: readonly string[] | undefined
  readonly peer?: readonly string[] | undefined
  readonly threads?: number | undefined
  readonly device?: 'auto' | 'cpu' | 'gpu' | undefined
  readonly 'max-memory'?: string | undefined
  readonly mdns: boolean
}

/** A command of swarm: flags, one app call, print. */
export abstract class SwarmCommand extends BaseCommand {
  /** Tests put a fake in its place. */
  app: AppSource = appSource

  /** Opens, uses and stops, whatever happens in between. */
  protected async using<T extends HomeRecords, R>(opening: Promise<T>, use: (app: T) => Promise<R>): Promise<R> {
    const app = await opening
    try {
      return await use(app)
    } finally {
      await settleWithin(app.stop(), STOP_TIMEOUT_MS)
    }
  }

  protected withRecords<R>(home: string | undefined, use: (records: HomeRecords) => Promise<R>): Promise<R> {
    return this.using(this.app.connectOrRead(homeOption(home), { signal: this.signal }), use)
  }

  /** The running process's app, else a peer for the time of this command. */
  protected withApp<R>(flags: PeerFlags, use: (app: SwarmApp) => Promise<R>): Promise<R> {
    return this.using(this.app.connectOrOpen(openOptions(flags, 'one-off'), { signal: this.signal }), use)
  }
}

/** Leaves the home out where it is not given. */
export function homeOption(home: string | undefined): { readonly home?: string } {
  return home === undefined ? {} : { home }
}

/** Makes the app's options of flags. @throws SwarmError SIZE_MALFORMED */
export function openOptions(flags: PeerFlags, role: OpenOptions['role'], code?: string): OpenOptions {
  return {
    ...homeOption(flags.home),
    role,
    ...(code === undefined ? {} : { code }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
    listen: flags.listen ?? [],
    peers: flags.peer ?? [],
    ...(flags.threads === undefined ? {} : { threads: flags.threads }),
    ...(flags.device === undefined ? {} : { device: flags.device }),
    ...(flags['max-memory'] === undefined ? {} : { memoryBytesMax: parseByteSize(flags['max-memory']) }),
    mdns: flags.mdns
  }
}

/** Waits for something to stop, but not for ever. @throws what `stopping` throws in time */
export async function settleWithin(stopping: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  try {
    await Promise.race([stopping, patience])
  } finally {
    clearTimeout(timer)
  }
}
