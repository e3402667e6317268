import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import {
  CHECK_BYTES,
  HEAD_BYTES,
  type LedgerContent,
  RECORD,
  RECORD_BYTES_MAX,
  RECORD_HEAD_BYTES,
  readHead,
  readRecord,
  TAIL_BYTES,
  TAIL_CONTENT_BYTES
} from './ledger-file-format.ts'

/** Bytes read from the file at a time. */
const READ_BYTES = 256 * 1024

/** Where a ledger file is wrong, and why. */
export interface LedgerFault {
  readonly part: 'head' | 'feed' | 'entry' | 'receipt' | 'fork' | 'tail'
  readonly reason: string
  /** Bytes from the file's start to the part. */
  readonly byteOffset: number
  /** How many entries, receipts and fork proofs stand before it; for head and tail absent. */
  readonly index?: number
  /** Whose feed, or whose job, it stands in. */
  readonly author?: string
  /** Sequence number that an entry has, or should have, in its author's feed. */
  readonly sequence?: number
}

/** A ledger that does not hold. `fault` names the first wrong part. */
export class LedgerInvalidError extends SwarmError {
  readonly fault: LedgerFault

  constructor(path: string, fault: LedgerFault) {
    super('LEDGER_INVALID', `${path}: ${describe(fault)}`, { exitCode: EXIT_CODES.verificationFailed })
    this.fault = fault
  }
}

/** A record as it stands in a file. */
export interface FileRecord {
  readonly byteOffset: number
  readonly type: number
  readonly content: Uint8Array
  /** Why its bytes cannot be what was written; its content is what stands there then. */
  readonly damage?: string
}

/** Reads a ledger file once, from start to end, in bounded memory. */
export class LedgerFile {
  readonly #source: HashedInput
  readonly content: LedgerContent

  private constructor(source: HashedInput, content: LedgerContent) {
    this.#source = source
    this.content = content
  }

  /** @throws LedgerInvalidError when it is no ledger file; SwarmError LEDGER_UNREADABLE when it cannot be read. */
  static async open(path: string): Promise<LedgerFile> {
    let file: FileHandle
    let byteLength: number
    try {
      file = await open(path, 'r')
      byteLength = (await file.stat()).size
    } catch (error) {
      throw new SwarmError('LEDGER_UNREADABLE', `cannot read ${path}: ${(error as Error).message}`, {
        cause: error,
        exitCode: EXIT_CODES.usage
      })
    }
    const source = new HashedInput(file, byteLength)
    const bytes = await source.read(HEAD_BYTES)
    const content = bytes === undefined ? { fault: 'it is too short for a ledger file' } : readHead(bytes)
    if (typeof content === 'string') return new LedgerFile(source, content)
    await file.close()
    throw new LedgerInvalidError(path, { part: 'head', byteOffset: 0, reason: content.fault })
  }

  /** Yields the records in order; a damaged one is the last. A sound tail only ends them, a damaged one is yielded too. */
  async *records(options: { signal: AbortSignal }): AsyncGenerator<FileRecord> {
    for (let index = 0; ; index++) {
      options.signal.throwIfAborted()
      const byteOffset = this.#source.position
      const digest = this.#source.digest()
      const isTail = this.#source.remaining <= TAIL_BYTES
      const bytes = await this.#nextRecord()
      const record = bytes === undefined ? undefined : readRecord(index, bytes)
      if (record?.type === RECORD.tail || (record === undefined && isTail)) {
        const damage = this.#faultOfTail(record?.content, index, digest)
        if (damage !== undefined) yield { byteOffset, type: RECORD.tail, content: new Uint8Array(0), damage }
        return
      }
      if (record === undefined) {
        const content = bytes?.slice(RECORD_HEAD_BYTES, -CHECK_BYTES) ?? new Uint8Array(0)
        const damage = bytes === undefined ? 'its length cannot be right' : 'its bytes are not those that were written'
        yield { byteOffset, type: bytes?.[0] ?? 0, content, damage }
        return
      }
      yield { byteOffset, ...record }
    }
  }

  async close(): Promise<void> {
    await this.#source.close()
  }

  async #nextRecord(): Promise<Uint8Array | undefined> {
    const head = await this.#source.read(RECORD_HEAD_BYTES)
    if (head === undefined) return undefined
    const byteLength = new DataView(head.buffer, head.byteOffset).getUint32(1)
    if (byteLength > RECORD_BYTES_MAX) return undefined
    const rest = await this.#source.read(byteLength + CHECK_BYTES)
    return rest === undefined ? undefined : Buffer.concat([head, rest])
  }

  #faultOfTail(content: Uint8Array | undefined, recordCount: number, digest: Uint8Array): string | undefined {
    if (content === undefined || content.byteLength !== TAIL_CONTENT_BYTES)
      return 'the end of the file is damaged or missing'
    const count = new DataView(content.buffer, content.byteOffset).getBigUint64(0)
    if (count !== BigInt(recordCount)) return `there are ${recordCount} records, but ${count} were written`
    if (Buffer.compare(content.subarray(8), digest) !== 0) return 'it does not belong to the records before it'
    return this.#source.remaining === 0 ? undefined : `${this.#source.remaining} bytes follow the end`
  }
}

/** Reads forward in large steps, and hashes what was taken. */
class HashedInput {
  readonly #file: FileHandle
  readonly #byteLength: number
  readonly #hash = createHash('sha256')
  #buffered = Buffer.alloc(0)
  #buffer = Buffer.alloc(READ_BYTES)
  position = 0

  constructor(file: FileHandle, byteLength: number) {
    this.#file = file
    this.#byteLength = byteLength
  }

  get remaining(): number {
    return this.#byteLength - this.position
  }

  digest(): Uint8Array {
    return this.#hash.copy().digest()
  }

  /** @returns exactly so many bytes, or undefined, having taken nothing, when there are fewer. */
  async read(byteLength: number): Promise<Uint8Array | undefined> {
    if (byteLength > this.remaining) return undefined
    while (this.#buffered.byteLength < byteLength) {
      const { bytesRead } = await this.#file.read(
        this.#buffer,
        0,
        READ_BYTES,
        this.position + this.#buffered.byteLength
      )
      // The file was cut while it was read.
      if (bytesRead === 0) return undefined
      this.#buffered = Buffer.concat([this.#buffered, this.#buffer.subarray(0, bytesRead)])
    }
    const taken = this.#buffered.subarray(0, byteLength)
    this.#buffered = this.#buffered.subarray(byteLength)
    this.position += byteLength
    this.#hash.update(taken)
    return taken
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

function describe({ part, reason, byteOffset, index, author, sequence }: LedgerFault): string {
  const where = index === undefined ? part : `${part} at index ${index}`
  const whose = author === undefined ? '' : ` of ${author}`
  const number = sequence === undefined ? '' : ` with sequence number ${sequence}`
  return `the first wrong part is the ${where}${whose}${number} (byte ${byteOffset}): ${reason}`
}
