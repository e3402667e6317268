import type { JobId, PeerName } from './ids.ts'

/** Where the submitter's own cores take part. `auto` follows the cost model. */
export type LocalPolicy = 'auto' | 'never' | 'only'

/** What defines a job's result; the same spec gives the same bytes whoever computes it. */
export interface JobSpec {
  readonly jobId: JobId
  readonly submitter: PeerName
  readonly submitterName: string
  /** Name of a task kind in the closed registry. */
  readonly kind: string
  readonly params: Uint8Array
  readonly kernelId: string
  /** Bytes that chunks are cut from: of the input, or of the result when chunks share their inputs. */
  readonly inputBytes: number
  /** Bytes of one block of the fixed grid; a chunk is a run of blocks. */
  readonly blockBytes: number
  readonly reverse: boolean
}

/** An input file as it was when its job was opened, so that a changed one is noticed. */
export interface FileStamp {
  /** Absolute. */
  readonly path: string
  readonly byteLength: number
  /** Unix ms. */
  readonly modifiedMs: number
}

/** What is to be done with audio; as the user wrote it, and checked by the app. */
export interface AudioRequest {
  /** Absolute; file names in effects are relative to it. */
  readonly folder: string
  /** Chain of effects. */
  readonly effects?: string
  /** Encoding of the result: pcm16, pcm24 or float32; default: as the input. */
  readonly format?: string
  /** Read a damaged file as far as it goes. */
  readonly salvage?: boolean
  /** Where somebody speaks, instead of where there is silence. */
  readonly vad?: boolean
  /** Settings of silence, by name. */
  readonly silence?: Readonly<Record<string, string>>
}

/** Where the samples of an audio job lie. */
export interface AudioSource {
  readonly input: FileStamp
  /** The file that holds the samples, and where in it the first frame lies, in bytes. */
  readonly samples: { readonly path: string; readonly offset: number }
  /** Impulse responses by the name that the chain has for them. */
  readonly impulses: readonly { readonly name: string; readonly stamp: FileStamp; readonly offset: number }[]
  /** As it was asked for. */
  readonly request: AudioRequest
}

/** How the submitter runs a job; never travels. */
export interface JobOptions {
  /** Absolute path of the input. */
  readonly inputPath: string
  /** The operands of a product, of which the first is {@link JobOptions.inputPath}. */
  readonly operands?: { readonly a: FileStamp; readonly b: FileStamp }
  /** Audio jobs only. */
  readonly audio?: AudioSource
  /** Absolute path of the folder that gets the outputs. */
  readonly outDir: string
  readonly encrypt: boolean
  /** 32-byte key file given by the user, else a random key is made. */
  readonly keyFile?: string
  readonly local: LocalPolicy
  /** Upper bound of a chunk, in bytes; the planner adapts below it. */
  readonly chunkBytesMax: number
  /** True when the user named the chunk size: then chunks are this long and do not adapt. */
  readonly chunkBytesFixed: boolean
  readonly minPeers: number
  /** How long to wait for `minPeers`, in milliseconds. */
  readonly waitMs: number
  /** What was expected when the job was submitted, so that the outcome can be held against it. */
  readonly forecast?: JobForecast
}

/** A forecast as a job keeps it. Times in ms. */
export interface JobForecast {
  readonly aloneMs: number
  readonly swarmMs: number
  /** The one of both that the job's policy asks for. */
  readonly expectedMs: number
  readonly faster: 'alone' | 'swarm' | 'neither'
  /** What keeps it from being faster, as {@link import('./forecast-types.ts').ForecastLimit}. */
  readonly limit: string
  readonly peers: number
  /** Of these, on the submitter's machine. */
  readonly sameMachinePeers: number
  /** Where the speed of the submitter's kernel is from. */
  readonly kernelSource: MeasureSource
  /** Where the speeds of links are from: the least certain of them; absent when no link counted. */
  readonly linkSource?: MeasureSource
}

/** `measured` just now, `remembered` from a measurement, from earlier `jobs`, or `assumed`. */
export type MeasureSource = 'measured' | 'remembered' | 'jobs' | 'assumed'

/** A forecast beside what happened. */
export interface ForecastOutcome extends JobForecast {
  readonly actualMs: number
  /** actualMs / expectedMs. */
  readonly ratio: number
}

/** Holds a forecast against the job's time. */
export function forecastOutcome(forecast: JobForecast, actualMs: number): ForecastOutcome {
  return { ...forecast, actualMs, ratio: Math.round((actualMs / forecast.expectedMs) * 100) / 100 }
}

/** `open`: chunks are left to do. `stopped`: interrupted, resumable. The others are final. */
export type JobState = 'open' | 'stopped' | 'done' | 'failed' | 'cancelled'

/**
 * A run of grid blocks, cut when it is first granted and never cut again. `chunkIndex` counts cuts, which follow the
 * order of the output: chunk 0 gives the first bytes of the result (the end of the file when the job reverses).
 */
export interface Chunk {
  readonly chunkIndex: number
  readonly inputOffset: number
  readonly inputBytes: number
  readonly outputOffset: number
  readonly outputBytes: number
}
