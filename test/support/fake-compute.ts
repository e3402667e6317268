import { createHash } from 'node:crypto'
import { type InputPart, lengthOfPart, partsByteLength } from '../../src/domain/chunk-parts.ts'
import type { ComputePool } from '../../src/domain/compute.ts'
import { SwarmError } from '../../src/errors.ts'
import { invert } from '../../src/tasks/invert/invert.ts'

type Request<Name extends keyof ComputePool> = ComputePool[Name] extends (request: infer R, ...rest: never[]) => unknown
  ? R
  : never

/** @returns the SHA-256 of bytes */
export function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest())
}

/**
 * Compute threads without threads: the real kernel over a file in memory. Buffers are transferred as the real ones are,
 * so whoever still uses one that it handed over finds it empty.
 */
export class FakeCompute implements ComputePool {
  readonly threads: number
  file: Uint8Array
  /** Thrown by the next operation of that name. */
  readonly failures = new Map<string, Error>()
  /** Operations wait for these before they begin. */
  readonly gates = new Map<string, Promise<void>>()
  readonly calls: string[] = []

  constructor(file: Uint8Array, threads = 2) {
    this.file = file
    this.threads = threads
  }

  async readInputs({ inputs }: Request<'readInputs'>, options: { signal: AbortSignal }) {
    return Promise.all(
      inputs.map(async ({ buffer, parts }) => {
        const own = await this.#begin('readInputs', buffer, options.signal)
        return { buffer: own, inputHash: sha256(this.#read(own, parts)) }
      })
    )
  }

  async runKernel(request: Request<'runKernel'>, options: { signal: AbortSignal }) {
    const own = await this.#begin('runKernel', request.buffer, options.signal)
    const input = new Uint8Array(own, 0, request.byteLength)
    if (Buffer.compare(sha256(input), request.inputHash) !== 0) {
      throw new SwarmError('INPUT_MISMATCH', 'the input is not what was granted')
    }
    const output = invert.run(input, request.call)
    Atomics.store(request.progress, 0, Math.ceil(request.byteLength / 1024))
    return { buffer: own, byteLength: output.byteLength, outputHash: sha256(output), computeMs: 1 }
  }

  async runLocal({ buffer, input, call }: Request<'runLocal'>, options: { signal: AbortSignal }) {
    const own = await this.#begin('runLocal', buffer, options.signal)
    const output = invert.run(this.#read(own, input), call)
    return { buffer: own, byteLength: output.byteLength, computeMs: 1 }
  }

  async checkResult(request: Request<'checkResult'>, options: { signal: AbortSignal }) {
    const own = await this.#begin('checkResult', request.buffer, options.signal)
    const result = new Uint8Array(own, 0, request.resultBytes)
    const refused = (reason: string) => ({ buffer: own, verdict: 'refused' as const, reason, proof: true })
    if (Buffer.compare(sha256(result), request.outputHash) !== 0) return refused('the hash is another')
    const input = this.#read(new ArrayBuffer(partsByteLength(request.input)), request.input)
    if (Buffer.compare(sha256(input), request.inputHash) !== 0) {
      return { buffer: own, verdict: 'input-changed' as const }
    }
    const reason = invert.verify(input, result, request.call)
    return reason === undefined ? { buffer: own, verdict: 'passed' as const } : refused(reason)
  }

  async hashShared(): Promise<never> {
    throw noTiles()
  }

  async runTiles(): Promise<never> {
    throw noTiles()
  }

  async readOperands(): Promise<never> {
    throw noTiles()
  }

  async checkTiles(): Promise<never> {
    throw noTiles()
  }

  async decodeSound(): Promise<never> {
    throw noTiles()
  }

  async summarizePass(): Promise<never> {
    throw noTiles()
  }

  async concludeSegments(): Promise<never> {
    throw noTiles()
  }

  async close(): Promise<void> {}

  async #begin(name: string, buffer: ArrayBuffer, signal: AbortSignal): Promise<ArrayBuffer> {
    signal.throwIfAborted()
    this.calls.push(name)
    const own = buffer.transfer()
    await this.gates.get(name)
    signal.throwIfAborted()
    const failure = this.failures.get(name)
    this.failures.delete(name)
    if (failure !== undefined) throw failure
    return own
  }

  #read(into: ArrayBuffer, parts: readonly InputPart[]): Uint8Array {
    const bytes = new Uint8Array(into, 0, partsByteLength(parts))
    let filledBytes = 0
    for (const part of parts) {
      const from = part.path === undefined ? part.bytes : this.file.subarray(part.offset, part.offset + part.byteLength)
      bytes.set(from, filledBytes)
      filledBytes += lengthOfPart(part)
    }
    return bytes
  }
}

/** Products and segments are tested with real threads. */
function noTiles(): Error {
  return new Error('this fake inverts samples only')
}
