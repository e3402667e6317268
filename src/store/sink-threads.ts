import { extname } from 'node:path'
import { MessageChannel, Worker, type WorkerOptions } from 'node:worker_threads'
import type { FromSinkThread, SinkThreadData, ToSealThread, ToSinkThread } from './sink-messages.ts'

/** Heap of a thread; chunk buffers do not count. Small heaps keep a thread at 10 MB. */
const THREAD_OPTIONS: WorkerOptions = {
  execArgv: [],
  resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64, stackSizeMb: 2 }
}

/**
 * The threads of a sink: one that writes and, when the job is sealed, one before it that encrypts. Split because
 * encryption is serial and takes longer than all the rest. Owns both threads.
 */
export class SinkThreads {
  readonly #sink: Worker
  readonly #seal: Worker | undefined

  constructor(
    data: SinkThreadData,
    handlers: { onMessage: (message: FromSinkThread) => void; onError: (error: Error) => void }
  ) {
    const { port1, port2 } = new MessageChannel()
    const sealed = data.sealing !== undefined
    this.#sink = start('sink-thread', sealed ? { data, sealPort: port1 } : { data }, sealed ? [port1] : [])
    this.#seal = sealed ? start('seal-thread', { sinkPort: port2 }, [port2]) : undefined
    this.#sink.on('message', handlers.onMessage)
    for (const thread of [this.#sink, this.#seal]) {
      thread?.on('error', handlers.onError)
      thread?.on('exit', (code) => handlers.onError(new Error(`thread ended with code ${code}`)))
    }
  }

  toSeal(message: ToSealThread, transfers: ArrayBuffer[] = []): void {
    this.#seal?.postMessage(message, transfers)
  }

  toSink(message: ToSinkThread, transfers: ArrayBuffer[] = []): void {
    this.#sink.postMessage(message, transfers)
  }

  async end(): Promise<void> {
    await Promise.all([this.#sink.terminate(), this.#seal?.terminate()])
  }
}

/** Starts a thread whose entry lies beside this file, under the extension that this file has (.ts in tests, else .js). */
function start(name: string, workerData: object, transferList: WorkerOptions['transferList'] & object): Worker {
  const url = new URL(`./${name}${extname(import.meta.url)}`, import.meta.url)
  return new Worker(url, { ...THREAD_OPTIONS, name, workerData, transferList })
}
