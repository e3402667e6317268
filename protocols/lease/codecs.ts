import type { ControlCodec, ControlStream } from '../wire/control-stream.ts'
import { encodeSubmitterMessage, parseSubmitterMessage, type SubmitterMessage } from './submitter-messages.ts'
import { encodeWorkerMessage, parseWorkerMessage, type WorkerMessage } from './worker-messages.ts'

/** The stream as the worker sees it. */
export type WorkerControl = ControlStream<SubmitterMessage, WorkerMessage>
/** The stream as the submitter sees it. */
export type SubmitterControl = ControlStream<WorkerMessage, SubmitterMessage>

/** Messages at the worker's end. */
export const WORKER_CODEC: ControlCodec<SubmitterMessage, WorkerMessage> = {
  decode: parseSubmitterMessage,
  encode: encodeWorkerMessage
}

/** Messages at the submitter's end. */
export const SUBMITTER_CODEC: ControlCodec<WorkerMessage, SubmitterMessage> = {
  decode: parseWorkerMessage,
  encode: encodeSubmitterMessage
}
