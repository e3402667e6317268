import { malformed } from './api-error.ts'
import { parseExportRequest, parseLedgerFilter, parseRequestJobId, parseSubmitRequest } from './requests.ts'
import type { SwarmApp, Waiting } from './swarm-app.ts'

/** Prefix of all paths; a change of meaning is a new one. */
export const API_PREFIX = '/v1'

/** One request, its body read and parsed as JSON. */
export interface ApiRequest {
  readonly method: string
  /** Parts of the path after {@link API_PREFIX}. */
  readonly path: readonly string[]
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
}

/** What a request asks for: one answer, or a stream. `job` marks a stream whose reader owns the job. */
export type ApiAction =
  | { readonly type: 'answer'; run(app: SwarmApp, options: Waiting): Promise<unknown> }
  | { readonly type: 'stream'; readonly ownsJob: boolean; run(app: SwarmApp, options: Waiting): AsyncIterable<unknown> }
  | { readonly type: 'stop'; readonly jobId: string }

/** Finds what a request asks for. @returns undefined when there is no such route. @throws SwarmError REQUEST_MALFORMED */
export function findAction(request: ApiRequest): ApiAction | undefined {
  const [first, second, third] = request.path
  if (first === 'jobs' && second !== undefined) return findJobAction(request.method, second, third, request.path.length)
  switch (`${request.method} ${request.path.join('/')}`) {
    case 'GET status':
      return answer((app, options) => app.status(options))
    case 'GET peers':
      return answer((app, options) => app.peers(options))
    case 'GET invite':
      return answer((app, options) => app.invite(options))
    case 'GET jobs':
      return answer((app, options) => app.jobs(options))
    case 'GET events':
      return { type: 'stream', ownsJob: false, run: (app, options) => app.events(options) }
    case 'GET ledger': {
      const filter = parseLedgerFilter(request.query)
      return answer((app, options) => app.ledger(filter, options))
    }
    case 'POST ledger/export': {
      const wanted = parseExportRequest(request.body)
      return answer((app, options) => app.exportLedger(wanted, options))
    }
    case 'POST plan': {
      const wanted = parseSubmitRequest(request.body)
      return answer((app, options) => app.plan(wanted, options))
    }
    case 'POST jobs': {
      const wanted = parseSubmitRequest(request.body)
      return { type: 'stream', ownsJob: true, run: (app, options) => app.submit(wanted, options) }
    }
    default:
      return undefined
  }
}

function findJobAction(method: string, id: string, verb: string | undefined, parts: number): ApiAction | undefined {
  if (parts > 3) return undefined
  const jobId = parseRequestJobId(id)
  switch (`${method} ${verb ?? ''}`) {
    case 'GET ':
      return answer((app, options) => app.job(jobId, options))
    case 'GET events':
      return { type: 'stream', ownsJob: false, run: (app, options) => app.watch(jobId, options) }
    case 'POST resume':
      return { type: 'stream', ownsJob: true, run: (app, options) => app.resume(jobId, options) }
    case 'POST cancel':
      return answer((app, options) => app.cancel(jobId, options))
    case 'POST stop':
      return { type: 'stop', jobId }
    default:
      return undefined
  }
}

/** Takes a request's target. @throws SwarmError REQUEST_MALFORMED */
export function parseTarget(target: string): Pick<ApiRequest, 'path' | 'query'> {
  const url = URL.parse(target, 'http://swarm')
  if (url === null || !url.pathname.startsWith(`${API_PREFIX}/`)) {
    throw malformed(`unknown path, expected one below ${API_PREFIX}`)
  }
  return {
    path: url.pathname.slice(API_PREFIX.length + 1).split('/'),
    query: Object.fromEntries(url.searchParams)
  }
}

function answer(run: (app: SwarmApp, options: Waiting) => Promise<unknown>): ApiAction {
  return { type: 'answer', run }
}
