import { WireError } from '../wire/wire-error.ts'
import { UINT32_MAX } from './constants.ts'

interface Request<Question, Answer> {
  readonly question: Question
  /** Absent once nobody waits any more; the entry stays until the answer comes, so that it still counts. */
  settle: { resolve(answer: Answer): void; reject(error: unknown): void } | undefined
}

/** A question that got its answer, and whether somebody still waited for it. */
export interface Answered<Question> {
  readonly question: Question
  readonly abandoned: boolean
}

/** Open requests of one kind on one stream, matched to answers by number. Owned by the worker's end. */
export class RequestTable<Question, Answer> {
  readonly #what: string
  readonly #pendingMax: number
  readonly #timeoutMs: number
  readonly #requests = new Map<number, Request<Question, Answer>>()
  #lastRequestId = 0

  constructor(what: string, limits: { readonly pendingMax: number; readonly timeoutMs: number }) {
    this.#what = what
    this.#pendingMax = limits.pendingMax
    this.#timeoutMs = limits.timeoutMs
  }

  /**
   * Sends a question under a fresh number and waits for its answer.
   * @throws WireError LIMIT_EXCEEDED when too many are open, TIMED_OUT, what {@link RequestTable.fail} was given, or the
   *   signal's reason
   */
  ask(
    question: Question,
    send: (requestId: number) => void,
    options: { readonly signal: AbortSignal }
  ): Promise<Answer> {
    const { signal } = options
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const requestId = this.#nextRequestId()
      send(requestId)
      const finish = (outcome: () => void): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
        request.settle = undefined
        outcome()
      }
      const timedOut = new WireError('TIMED_OUT', `no answer to a ${this.#what} within ${this.#timeoutMs} ms`)
      const timer = setTimeout(() => finish(() => reject(timedOut)), this.#timeoutMs)
      const onAbort = (): void => finish(() => reject(signal.reason))
      signal.addEventListener('abort', onAbort, { once: true })
      const request: Request<Question, Answer> = {
        question,
        settle: {
          resolve: (answer) => finish(() => resolve(answer)),
          reject: (error) => finish(() => reject(error))
        }
      }
      this.#requests.set(requestId, request)
    })
  }

  /** Looks a question up without answering it. @throws WireError MESSAGE_MALFORMED when nothing has this number */
  question(requestId: number): Question {
    return this.#request(requestId).question
  }

  /** Hands an answer to who waits for it. @throws WireError MESSAGE_MALFORMED when nothing has this number */
  answer(requestId: number, answer: Answer): Answered<Question> {
    const request = this.#request(requestId)
    this.#requests.delete(requestId)
    const { settle, question } = request
    settle?.resolve(answer)
    return { question, abandoned: settle === undefined }
  }

  /** Tells all who wait that no answer will come. */
  fail(error: WireError): void {
    const requests = [...this.#requests.values()]
    this.#requests.clear()
    for (const request of requests) request.settle?.reject(error)
  }

  #request(requestId: number): Request<Question, Answer> {
    const request = this.#requests.get(requestId)
    if (request === undefined) {
      throw new WireError('MESSAGE_MALFORMED', `an answer to ${this.#what} ${requestId}, which is not open`)
    }
    return request
  }

  #nextRequestId(): number {
    if (this.#requests.size >= this.#pendingMax) {
      throw new WireError('LIMIT_EXCEEDED', `${this.#pendingMax} of ${this.#what} are open already`)
    }
    this.#lastRequestId = this.#lastRequestId === UINT32_MAX ? 1 : this.#lastRequestId + 1
    return this.#lastRequestId
  }
}
