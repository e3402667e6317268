import { setImmediate } from 'node:timers/promises'
import { contentHash } from '../content-hash.ts'
import type { SinkCheckpoint } from '../domain/journal.ts'
import { SwarmError } from '../errors.ts'
import { SinkBatches } from './sink-batches.ts'
import type { FromSinkThread, ToSinkThread } from './sink-messages.ts'
import type { OpenedFile } from './sink-open.ts'

/** Bytes written before timers and syncs get their turn; a port's messages alone would keep the loop busy. */
const TURN_BYTES = 8 * 1024 * 1024

type Write = Extract<ToSinkThread, { type: 'write' }>

/**
 * One job's output as it grows: hashes and writes what comes, in order of calls. Owns the partial file. A failed call leaves
 * the last durable checkpoint true.
 */
export class SinkWriter {
  readonly #opened: OpenedFile
  readonly #outputBytes: number
  readonly #send: (message: FromSinkThread, transfers?: ArrayBuffer[]) => void
  readonly #batches: SinkBatches
  #chunkCount: number
  #plainBytes: number
  #fileBytes: number
  #tail: Uint8Array
  #turnBytes = 0

  constructor(
    opened: OpenedFile,
    outputBytes: number,
    handlers: {
      send: (message: FromSinkThread, transfers?: ArrayBuffer[]) => void
      /** A sync failed, outside of any call. */
      onError: (error: unknown) => void
    }
  ) {
    this.#send = handlers.send
    this.#opened = opened
    this.#outputBytes = outputBytes
    this.#chunkCount = opened.standing.length
    this.#plainBytes = opened.plainBytes
    this.#fileBytes = opened.fileBytes
    this.#tail = opened.chain?.held ?? new Uint8Array(0)
    this.#batches = new SinkBatches({
      sync: () => opened.file.sync(),
      checkpoint: () => this.#checkpoint(),
      onDurable: (batch) => this.#send({ type: 'durable', batch }),
      onError: handlers.onError
    })
  }

  /**
   * Writes one chunk. What the checkpoint is made of changes in one go after the last wait: a write may wait for room on the
   * disk, and batches are synced meanwhile.
   */
  async write(message: Write): Promise<void> {
    const { buffer, chunkIndex, head, plainBytes } = message
    const body = new Uint8Array(buffer, message.bodyOffset, message.bodyBytes)
    const sealed = this.#opened.hmac !== undefined
    if (sealed) {
      await this.#append(head === undefined ? [body] : [head, body])
    } else {
      const { file, placement } = this.#opened
      await placement.write(file, message.outputOffset, body)
      this.#fileBytes = Math.max(this.#fileBytes, placement.fileEnd(message.outputOffset, body.byteLength))
    }
    this.#chunkCount += 1
    this.#plainBytes += plainBytes
    this.#tail = message.tail ?? this.#tail
    const outputHash = sealed ? undefined : contentHash(body)
    this.#batches.add({ chunkIndex, plainBytes, ...(outputHash !== undefined && { outputHash }) })
    this.#send({ type: 'consumed', chunkIndex, buffer }, [buffer])
    this.#turnBytes += plainBytes
    if (this.#turnBytes < TURN_BYTES) return
    this.#turnBytes = 0
    await setImmediate()
  }

  /**
   * @param last padding of a sealed file
   * @param content what the file is to hold instead of what was placed
   */
  async finish({ last, content }: { last?: Uint8Array; content?: Uint8Array }): Promise<void> {
    if (this.#plainBytes !== this.#outputBytes) {
      throw new SwarmError(
        'OUTPUT_INCOMPLETE',
        `the output has ${this.#plainBytes} bytes instead of ${this.#outputBytes}: chunks are missing`
      )
    }
    // The chunks are reported with a checkpoint from before the padding, so that a resume can pad again.
    await this.#batches.flush()
    if (last !== undefined) await this.#append([last])
    if (content !== undefined) {
      this.#fileBytes = content.byteLength
      await this.#opened.file.write(content, 0)
    }
    // What is sealed after is read up to there, and goes then: whole, it still serves a resume.
    if (this.#opened.sealPlaced === undefined) this.#opened.file.truncate(this.#fileBytes)
    await this.#opened.file.sync()
    const hmac = this.#opened.hmac?.tag() ?? (await this.#opened.sealPlaced?.(this.#fileBytes))
    this.#opened.file.close()
    this.#send({ type: 'finished', outputBytes: this.#plainBytes, ...(hmac !== undefined && { hmac }) })
  }

  async #append(parts: readonly Uint8Array[]): Promise<void> {
    let end = this.#fileBytes
    for (const part of parts) {
      await this.#opened.file.write(part, end)
      end += part.byteLength
    }
    for (const part of parts) this.#opened.hmac?.update(part)
    this.#fileBytes = end
  }

  #checkpoint(): SinkCheckpoint {
    return {
      chunkCount: this.#chunkCount,
      plainBytes: this.#plainBytes,
      fileBytes: this.#fileBytes,
      digest: this.#opened.hmac?.checkpoint() ?? new Uint8Array(0),
      tail: this.#tail
    }
  }
}
