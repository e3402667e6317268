import type { IncomingMessage } from 'node:http'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { parseApiError } from './api-error.ts'
import { API_ANSWER_BYTES_MAX, API_LINE_BYTES_MAX } from './constants.ts'

/** One request over the socket. */
export interface SocketRequest {
  readonly socketPath: string
  readonly method: 'GET' | 'POST'
  /** With prefix and query. */
  readonly target: string
  readonly body?: unknown
}

/** Sends a request and waits for the head of the answer. @throws the system's error when nobody listens */
export async function sendRequest(options: SocketRequest, waiting: { signal: AbortSignal }): Promise<IncomingMessage> {
  // Only where somebody listens: it takes as long to load as the rest of a short command.
  const { request: httpRequest } = await import('node:http')
  const body = options.body === undefined ? undefined : JSON.stringify(options.body)
  return await new Promise((resolve, reject) => {
    const request = httpRequest({
      socketPath: options.socketPath,
      method: options.method,
      path: options.target,
      // One connection per request: closing it is how a client goes away.
      agent: false,
      signal: waiting.signal,
      headers:
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    })
    request.on('response', resolve)
    request.on('error', (error) => reject(waiting.signal.aborted ? waiting.signal.reason : error))
    request.end(body)
  })
}

/** Reads a plain answer whole. @throws SwarmError the error that it holds */
export async function readAnswer(response: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let byteLength = 0
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      byteLength += part.byteLength
      if (byteLength > API_ANSWER_BYTES_MAX) throw answerMalformed(`more than ${API_ANSWER_BYTES_MAX} bytes`)
      parts.push(part)
    }
  } catch (cause) {
    throw cause instanceof SwarmError ? cause : processGone(cause)
  }
  const answer = parseJson(Buffer.concat(parts).toString('utf8'))
  const error = parseApiError(answer)
  if (error !== undefined) throw error
  if (response.statusCode !== 200) throw answerMalformed(`status ${response.statusCode}`)
  return answer
}

/**
 * Reads a streamed answer line by line, at the pace of the reader; leaving the loop closes the connection.
 *
 * @throws SwarmError the error of the answer, or PROCESS_GONE when the other process ended before the stream did
 */
export async function* readLines(response: IncomingMessage): AsyncIterable<unknown> {
  if (response.statusCode !== 200) {
    await readAnswer(response)
    return
  }
  let rest = ''
  response.setEncoding('utf8')
  try {
    for await (const text of response as AsyncIterable<string>) {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      if (rest.length > API_LINE_BYTES_MAX) throw answerMalformed(`a line of more than ${API_LINE_BYTES_MAX} bytes`)
      for (const line of lines) {
        const value = parseJson(line)
        const error = parseApiError(value)
        if (error !== undefined) throw error
        yield value
      }
    }
  } catch (cause) {
    throw cause instanceof SwarmError ? cause : processGone(cause)
  } finally {
    response.destroy()
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SwarmError('ANSWER_MALFORMED', 'the process that runs this home sent an answer that is no JSON', {
      cause
    })
  }
}

function answerMalformed(what: string): SwarmError {
  return new SwarmError('ANSWER_MALFORMED', `the process that runs this home sent an answer with ${what}`)
}

function processGone(cause: unknown): SwarmError {
  return new SwarmError(
    'PROCESS_GONE',
    'the process that runs this home ended; see "swarm jobs" for what can be resumed',
    {
      cause,
      exitCode: EXIT_CODES.tryAgain
    }
  )
}
