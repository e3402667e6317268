import type { DurableBatch, SinkOptions } from '../domain/result-sink.ts'
import type { OutputPaths } from './output-names.ts'

/** What a sink thread is started with. */
export interface SinkThreadData
  extends Pick<SinkOptions, 'outputBytes' | 'sealing' | 'tiles' | 'segments' | 'sealAfter' | 'resume'> {
  readonly paths: OutputPaths
}

/** From the sink thread to the main thread. */
export type FromSinkThread =
  | { readonly type: 'opened'; readonly standing: readonly number[]; readonly chain?: CipherChain }
  | { readonly type: 'consumed'; readonly chunkIndex: number; readonly buffer: ArrayBuffer }
  | { readonly type: 'durable'; readonly batch: DurableBatch }
  | { readonly type: 'stall'; readonly full: boolean }
  | { readonly type: 'finished'; readonly outputBytes: number; readonly hmac?: Uint8Array }
  | { readonly type: 'failed'; readonly code: string; readonly message: string }

/** Where a sealed stream goes on. */
export interface CipherChain {
  /** The IV or the last cipher block. */
  readonly iv: Uint8Array
  readonly held: Uint8Array
}

/** To the sink thread: bytes to write, from the main thread (placed) or from the seal thread (sealed). */
export type ToSinkThread =
  | {
      readonly type: 'write'
      readonly chunkIndex: number
      /** Where to place it; ignored when sealed, which appends. */
      readonly outputOffset: number
      readonly plainBytes: number
      readonly head?: Uint8Array
      readonly bodyOffset: number
      readonly bodyBytes: number
      readonly tail?: Uint8Array
      readonly buffer: ArrayBuffer
    }
  | { readonly type: 'finish'; readonly last?: Uint8Array; readonly content?: Uint8Array }

/** To the seal thread. */
export type ToSealThread =
  | { readonly type: 'start'; readonly key: Uint8Array; readonly chain: CipherChain }
  | { readonly type: 'chunk'; readonly chunkIndex: number; readonly byteLength: number; readonly buffer: ArrayBuffer }
  | { readonly type: 'finish' }
