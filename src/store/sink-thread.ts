// Entry of the sink thread: hashes, writes and syncs a job's output. Driven by messages from the main thread (placed jobs)
// or from the seal thread (sealed ones).
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { SwarmError } from '../errors.ts'
import type { FromSinkThread, SinkThreadData, ToSinkThread } from './sink-messages.ts'
import { type OpenedFile, openSinkFile } from './sink-open.ts'
import { SinkWriter } from './sink-writer.ts'

const { data, sealPort } = workerData as { data: SinkThreadData; sealPort?: MessagePort }
let failed = false
await start()

async function start(): Promise<void> {
  let opened: OpenedFile
  try {
    opened = await openSinkFile(data, (full) => send({ type: 'stall', full }))
  } catch (error) {
    fail(error)
    return
  }
  const writer = new SinkWriter(opened, data.outputBytes, { send, onError: fail })
  let queue = Promise.resolve()
  const onMessage = (message: ToSinkThread): void => {
    queue = queue.then(() => handle(writer, message)).catch(fail)
  }
  parentPort?.on('message', onMessage)
  sealPort?.on('message', onMessage)
  send({ type: 'opened', standing: opened.standing, ...(opened.chain !== undefined && { chain: opened.chain }) })
}

async function handle(writer: SinkWriter, message: ToSinkThread): Promise<void> {
  if (failed) return
  if (message.type === 'finish') await writer.finish(message)
  else await writer.write(message)
}

/** After the first failure nothing is written any more, so the last checkpoint stays true. */
function fail(error: unknown): void {
  if (failed) return
  failed = true
  const { partial } = data.paths
  if (error instanceof SwarmError) {
    send({ type: 'failed', code: error.code, message: error.message })
    return
  }
  const reason = error instanceof Error ? error.message : String(error)
  send({ type: 'failed', code: 'OUTPUT_WRITE_FAILED', message: `${partial} cannot be written: ${reason}` })
}

function send(message: FromSinkThread, transfers: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfers)
}
