import { connectApi } from '../api/client.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { resolveHome } from '../store/home.ts'
import type { HomeRecords, OpenOptions, SwarmApp, Waiting } from './api-types.ts'

/** The process that runs the home. @throws SwarmError NOT_RUNNING, NOT_ANSWERING */
export async function connect(options: { readonly home?: string }, waiting: Waiting): Promise<SwarmApp> {
  const paths = resolveHome({ home: options.home })
  const app = await connectApi(paths.socket, waiting)
  if (app !== undefined) return app
  throw new SwarmError('NOT_RUNNING', `no process runs the home ${paths.folder}: start one with "swarm join"`, {
    exitCode: EXIT_CODES.tryAgain
  })
}

/** The process that runs the home when its socket answers, else the home opened as a peer in this process. */
export async function connectOrOpen(options: OpenOptions, waiting: Waiting): Promise<SwarmApp> {
  const app = await connectApi(resolveHome({ home: options.home }).socket, waiting)
  if (app !== undefined) return app
  const { openApp } = await import('./compose.ts')
  return openApp(options, waiting)
}

/** The process that runs the home when its socket answers, else the home's store; never the network. */
export async function connectOrRead(options: { readonly home?: string }, waiting: Waiting): Promise<HomeRecords> {
  const app = await connectApi(resolveHome({ home: options.home }).socket, waiting)
  if (app !== undefined) return app
  const { openReader } = await import('./reader.ts')
  return openReader(options)
}
