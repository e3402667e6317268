import { chmod, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { malformed, toApiError } from './api-error.ts'
import { API_BODY_BYTES_MAX, API_CLOSE_TIMEOUT_MS, API_CONNECTIONS_MAX, API_REQUEST_TIMEOUT_MS } from './constants.ts'
import { type ApiAction, findAction, parseTarget } from './routes.ts'
import { streamResponse } from './stream-response.ts'
import type { SwarmApp } from './swarm-app.ts'

/*
 * The local API. Whoever may open the socket is the user: it has mode 0600. node:http, since fastify costs the joined
 * process 22 MB more (measured) for ten routes.
 */

/** A listening API. */
export interface ApiServer {
  /** Stops listening, ends streams (jobs whose reader they are stop), removes the socket. May be called again. */
  close(): Promise<void>
}

/**
 * Serves an app on a unix socket. Its folder must be there, and the owner's alone.
 *
 * @throws SwarmError HOME_BUSY when another process answers on it; a socket that nobody answers on is replaced
 */
export async function serveApi(app: SwarmApp, socketPath: string): Promise<ApiServer> {
  const requests = new OpenRequests()
  const server = createServer({ requestTimeout: API_REQUEST_TIMEOUT_MS }, (request, response) => {
    requests.add(handle(app, requests, request, response))
  })
  server.maxConnections = API_CONNECTIONS_MAX
  await removeStale(socketPath)
  await listen(server, socketPath)
  if (!isPipe(socketPath)) await chmod(socketPath, 0o600)
  let closed: Promise<void> | undefined
  return {
    close: () => {
      closed ??= closeServer(server, requests)
      return closed
    }
  }
}

/** What the server works on: one abort per request, and which jobs belong to a reader. */
class OpenRequests {
  readonly aborts = new Set<AbortController>()
  readonly jobs = new Map<string, AbortController>()
  readonly #running = new Set<Promise<void>>()

  add(running: Promise<void>): void {
    this.#running.add(running)
    // `handle` answers its own errors.
    void running.finally(() => this.#running.delete(running))
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#running)
  }
}

async function handle(
  app: SwarmApp,
  requests: OpenRequests,
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const abort = new AbortController()
  requests.aborts.add(abort)
  response.on('close', () => abort.abort(new Error('the client went away')))
  response.on('error', (error) => abort.abort(error))
  const sendError = (error: unknown): void => {
    if (response.headersSent || response.destroyed) return
    // What is left of a long body is not read.
    response.shouldKeepAlive = false
    sendJson(response, statusOf(error), { error: toApiError(error) })
  }
  try {
    const { path, query } = parseTarget(request.url ?? '')
    const body = request.method === 'POST' ? await readBody(request) : undefined
    const action = findAction({ method: request.method ?? '', path, query, body })
    if (action === undefined) throw malformed(`no such request: ${request.method} ${path.join('/').slice(0, 64)}`)
    await perform(action, { app, requests, response, abort, sendError })
  } catch (error) {
    sendError(error)
  } finally {
    requests.aborts.delete(abort)
  }
}

async function perform(
  action: ApiAction,
  context: {
    app: SwarmApp
    requests: OpenRequests
    response: ServerResponse
    abort: AbortController
    sendError: (error: unknown) => void
  }
): Promise<void> {
  const { app, requests, response, abort, sendError } = context
  const { signal } = abort
  if (action.type === 'answer') {
    sendJson(response, 200, (await action.run(app, { signal })) ?? null)
  } else if (action.type === 'stop') {
    const owner = requests.jobs.get(action.jobId)
    owner?.abort(new Error('the client stopped the job'))
    sendJson(response, 200, { stopping: owner !== undefined })
  } else {
    const events = action.run(app, { signal })
    const owned = action.ownsJob ? ownJob(events, requests.jobs, abort) : events
    await streamResponse(response, owned, { sendError })
  }
}

/** Notes who owns the job of these events, so that `stop` finds it. */
async function* ownJob(
  events: AsyncIterable<unknown>,
  jobs: Map<string, AbortController>,
  abort: AbortController
): AsyncIterable<unknown> {
  let jobId: string | undefined
  try {
    for await (const event of events) {
      if (jobId === undefined && typeof event === 'object' && event !== null && 'jobId' in event) {
        jobId = String(event.jobId)
        jobs.set(jobId, abort)
      }
      yield event
    }
  } finally {
    if (jobId !== undefined && jobs.get(jobId) === abort) jobs.delete(jobId)
  }
}

/** Reads a body of at most {@link API_BODY_BYTES_MAX} as JSON. */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let byteLength = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    byteLength += part.byteLength
    if (byteLength > API_BODY_BYTES_MAX) throw malformed(`the body has more than ${API_BODY_BYTES_MAX} bytes`)
    parts.push(part)
  }
  if (byteLength === 0) return undefined
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch (cause) {
    throw new SwarmError('REQUEST_MALFORMED', 'request malformed: the body is no JSON', {
      cause,
      exitCode: EXIT_CODES.usage
    })
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

function statusOf(error: unknown): number {
  return error instanceof SwarmError && error.exitCode === EXIT_CODES.usage ? 400 : 500
}

async function removeStale(socketPath: string): Promise<void> {
  if (await answers(socketPath)) {
    throw new SwarmError('HOME_BUSY', `another process runs this home: it answers on ${socketPath}`, {
      exitCode: EXIT_CODES.tryAgain
    })
  }
  if (!isPipe(socketPath)) await rm(socketPath, { force: true })
}

/** Windows has named pipes, which are no files. */
function isPipe(socketPath: string): boolean {
  return socketPath.startsWith('\\\\.\\pipe\\')
}

/** Whether anybody accepts connections there. */
function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function listen(server: Server, socketPath: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

async function closeServer(server: Server, requests: OpenRequests): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  for (const abort of requests.aborts) abort.abort(new Error('the process stops'))
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, API_CLOSE_TIMEOUT_MS)
  })
  await Promise.race([requests.settled(), patience])
  clearTimeout(timer)
  server.closeAllConnections()
  await closed
}
