import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { toApiError } from './api-error.ts'

/**
 * Sends events as NDJSON, at the pace of the reader. An error before the first event becomes a plain error answer, a
 * later one the last line. When the reader goes away the events are still taken to their end, unseen, so that a job can
 * stop in order; whoever passes them makes them end then.
 */
export async function streamResponse(
  response: ServerResponse,
  events: AsyncIterable<unknown>,
  options: { sendError: (error: unknown) => void }
): Promise<void> {
  try {
    for await (const event of events) {
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
      await writeLine(response, event)
    }
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  } catch (error) {
    if (!response.headersSent) {
      options.sendError(error)
      return
    }
    await writeLine(response, { error: toApiError(error) })
  }
  response.end()
}

async function writeLine(response: ServerResponse, value: unknown): Promise<void> {
  if (response.destroyed || response.write(`${JSON.stringify(value)}\n`)) return
  const settled = new AbortController()
  try {
    // A reader that goes away never drains.
    await Promise.race([once(response, 'drain', settled), once(response, 'close', settled)])
  } finally {
    settled.abort()
  }
}
