import { existsSync } from 'node:fs'
import type { JobEvent } from '../domain/events.ts'
import type { JobId } from '../domain/ids.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { API_HELLO_TIMEOUT_MS, API_STOP_TIMEOUT_MS } from './constants.ts'
import { API_PREFIX } from './routes.ts'
import { readAnswer, readLines, type SocketRequest, sendRequest } from './socket-request.ts'
import type { SwarmApp, Waiting } from './swarm-app.ts'
import type {
  ExportRequest,
  InviteView,
  JobDetail,
  JobView,
  LedgerFilter,
  LedgerView,
  PeerEvent,
  PeerView,
  PlanView,
  StatusView,
  SubmitRequest
} from './views.ts'

/** System errors that say that nobody listens. */
const NOBODY_LISTENS = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR', 'ECONNRESET']

/**
 * Connects to the process that runs a home.
 *
 * @returns the app behind the socket, or undefined when nobody listens on it
 * @throws SwarmError NOT_ANSWERING when somebody listens but says nothing in time (default
 * {@link API_HELLO_TIMEOUT_MS})
 */
export async function connectApi(
  socketPath: string,
  waiting: Waiting & { readonly helloTimeoutMs?: number }
): Promise<SwarmApp | undefined> {
  // A pipe of Windows is no file.
  if (process.platform !== 'win32' && !existsSync(socketPath)) return undefined
  const helloTimeoutMs = waiting.helloTimeoutMs ?? API_HELLO_TIMEOUT_MS
  const timeout = AbortSignal.timeout(helloTimeoutMs)
  const client = new ApiClient(socketPath)
  try {
    await client.status({ signal: AbortSignal.any([waiting.signal, timeout]) })
    return client
  } catch (error) {
    waiting.signal.throwIfAborted()
    if (error instanceof Error && 'code' in error && NOBODY_LISTENS.includes(String(error.code))) return undefined
    if (!timeout.aborted) throw error
    throw new SwarmError(
      'NOT_ANSWERING',
      `the process that runs this home has not answered on ${socketPath} for ${helloTimeoutMs} ms: look whether it is stopped`,
      { cause: error, exitCode: EXIT_CODES.tryAgain }
    )
  }
}

/** The app over the socket. Holds no connection between calls. */
class ApiClient implements SwarmApp {
  readonly #socketPath: string

  constructor(socketPath: string) {
    this.#socketPath = socketPath
  }

  async status(options: Waiting): Promise<StatusView> {
    return (await this.#ask('GET', '/status', undefined, options)) as StatusView
  }

  async peers(options: Waiting): Promise<readonly PeerView[]> {
    return (await this.#ask('GET', '/peers', undefined, options)) as readonly PeerView[]
  }

  async invite(options: Waiting): Promise<InviteView> {
    return (await this.#ask('GET', '/invite', undefined, options)) as InviteView
  }

  async jobs(options: Waiting): Promise<readonly JobView[]> {
    return (await this.#ask('GET', '/jobs', undefined, options)) as readonly JobView[]
  }

  async job(jobId: JobId, options: Waiting): Promise<JobDetail> {
    return (await this.#ask('GET', `/jobs/${jobId}`, undefined, options)) as JobDetail
  }

  async cancel(jobId: JobId, options: Waiting): Promise<JobView> {
    return (await this.#ask('POST', `/jobs/${jobId}/cancel`, undefined, options)) as JobView
  }

  async ledger(filter: LedgerFilter, options: Waiting): Promise<LedgerView> {
    const query = new URLSearchParams({ ...filter }).toString()
    return (await this.#ask('GET', `/ledger?${query}`, undefined, options)) as LedgerView
  }

  async exportLedger(request: ExportRequest, options: Waiting): Promise<{ path: string; receipts: number }> {
    return (await this.#ask('POST', '/ledger/export', request, options)) as { path: string; receipts: number }
  }

  async plan(request: SubmitRequest, options: Waiting): Promise<PlanView> {
    return (await this.#ask('POST', '/plan', request, options)) as PlanView
  }

  submit(request: SubmitRequest, options: Waiting): AsyncIterable<JobEvent> {
    return this.#runJob('/jobs', request, request.detach, options)
  }

  resume(jobId: JobId, options: Waiting): AsyncIterable<JobEvent> {
    return this.#runJob(`/jobs/${jobId}/resume`, undefined, false, options)
  }

  watch(jobId: JobId, options: Waiting): AsyncIterable<JobEvent> {
    return this.#listen<JobEvent>(`/jobs/${jobId}/events`, options)
  }

  events(options: Waiting): AsyncIterable<PeerEvent> {
    return this.#listen<PeerEvent>('/events', options)
  }

  async stop(): Promise<void> {
    // Nothing is held between calls, and the other process goes on.
  }

  #request(method: 'GET' | 'POST', path: string, body?: unknown): SocketRequest {
    return { socketPath: this.#socketPath, method, target: `${API_PREFIX}${path}`, body }
  }

  async #ask(method: 'GET' | 'POST', path: string, body: unknown, options: Waiting): Promise<unknown> {
    return await readAnswer(await sendRequest(this.#request(method, path, body), options))
  }

  /** Ends quietly when the signal aborts. */
  async *#listen<Event>(path: string, options: Waiting): AsyncIterable<Event> {
    try {
      const response = await sendRequest(this.#request('GET', path), options)
      for await (const event of readLines(response)) yield event as Event
    } catch (error) {
      if (!options.signal.aborted) throw error
    }
  }

  /**
   * An abort asks the other process to stop the job and goes on reading up to its last event, for a bounded time. A
   * detached job is left alone.
   */
  async *#runJob(path: string, body: unknown, detached: boolean, options: Waiting): AsyncIterable<JobEvent> {
    const hangUp = new AbortController()
    let jobId: string | undefined
    const onAbort = (): void => {
      if (jobId === undefined || detached) {
        hangUp.abort(options.signal.reason)
        return
      }
      const patience = AbortSignal.timeout(API_STOP_TIMEOUT_MS)
      patience.addEventListener('abort', () => hangUp.abort(options.signal.reason), { signal: hangUp.signal })
      this.#ask('POST', `/jobs/${jobId}/stop`, undefined, { signal: patience }).catch((error: unknown) =>
        hangUp.abort(error)
      )
    }
    options.signal.throwIfAborted()
    options.signal.addEventListener('abort', onAbort, { once: true })
    try {
      const response = await sendRequest(this.#request('POST', path, body), { signal: hangUp.signal })
      for await (const event of readLines(response) as AsyncIterable<JobEvent>) {
        jobId = event.jobId
        yield event
      }
    } catch (error) {
      throw hangUp.signal.aborted ? hangUp.signal.reason : error
    } finally {
      options.signal.removeEventListener('abort', onAbort)
      hangUp.abort(new Error('the stream has ended'))
    }
  }
}
