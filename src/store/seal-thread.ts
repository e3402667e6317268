// Entry of the seal thread: encrypts chunks in order, in place, and passes them on to the sink thread. It does nothing
// else, because encryption is the one serial chain of a job.
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { InPlaceCipher } from './seal-cipher.ts'
import type { ToSealThread, ToSinkThread } from './sink-messages.ts'

const { sinkPort } = workerData as { sinkPort: MessagePort }
let cipher: InPlaceCipher | undefined

parentPort?.on('message', (message: ToSealThread) => {
  if (message.type === 'start') {
    cipher = new InPlaceCipher(message.key, message.chain.iv, message.chain.held)
    return
  }
  if (cipher === undefined) throw new Error('the seal thread got a chunk before its key')
  if (message.type === 'finish') {
    send({ type: 'finish', last: cipher.final() }, [])
    return
  }
  const { buffer, byteLength, chunkIndex } = message
  const { head, ...body } = cipher.seal(new Uint8Array(buffer, 0, byteLength))
  send(
    {
      type: 'write',
      chunkIndex,
      outputOffset: 0,
      plainBytes: byteLength,
      ...(head.byteLength > 0 && { head }),
      ...body,
      buffer
    },
    [buffer]
  )
})

function send(message: ToSinkThread, transfers: ArrayBuffer[]): void {
  sinkPort.postMessage(message, transfers)
}
