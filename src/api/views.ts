import type { JobCounters, JobOutputs } from '../domain/events.ts'
import type { ForecastLimit } from '../domain/forecast-types.ts'
import type { JobId } from '../domain/ids.ts'
import type {
  AudioRequest,
  FileStamp,
  ForecastOutcome,
  JobForecast,
  JobState,
  LocalPolicy,
  MeasureSource
} from '../domain/job.ts'

/* What crosses between commands and app: plain JSON, so that it looks alike in this process and over the socket. */

/** State of a home and of the peer that runs in it. */
export interface StatusView {
  /** False when no process runs this home: then only what the home remembers is known. */
  readonly running: boolean
  readonly home: string
  readonly swarmName: string
  /** Public id of the swarm, 26 characters. */
  readonly swarmId: string
  readonly peerId: string
  readonly name: string
  /** Dialable addresses with peer id; empty when not running. */
  readonly addresses: readonly string[]
  /** Connected peers. */
  readonly peers: number
  readonly threads: number
  /** Process id of the one that runs the home. */
  readonly pid?: number
  readonly upMs?: number
  readonly jobsOpen: number
  /** Chunks held under a lease from others now. */
  readonly leases: number
}

/** A peer of the swarm: connected, or remembered. */
export interface PeerView {
  readonly peerId: string
  readonly name: string
  readonly connected: boolean
  readonly addresses: readonly string[]
  /** Round trip in ms, when measured. */
  readonly latencyMs?: number
  readonly threads?: number
  /** Unix ms. */
  readonly lastSeenMs?: number
}

/** What another machine needs to join. */
export interface InviteView {
  readonly swarmName: string
  readonly swarmId: string
  readonly code: string
  /** The addresses inside the code. */
  readonly addresses: readonly string[]
}

/** A job to be run. Paths are absolute: the process that runs it may have another working directory. */
export interface SubmitRequest {
  readonly inputPath: string
  /** Name of a task kind; checked by the app against the closed registry. */
  readonly task: string
  /** Second operand of a product. */
  readonly rightPath?: string
  /** Products only: the kernel that gives the same bits on every machine. */
  readonly exact?: boolean
  /** Audio jobs only. */
  readonly audio?: AudioRequest
  /** Folder for the outputs; default `<outRoot>/<job id>`. */
  readonly outDir?: string
  readonly outRoot: string
  /** Default: as the task kind says. */
  readonly reverse?: boolean
  readonly encrypt?: boolean
  readonly keyFile?: string
  readonly local: LocalPolicy
  /** Fixed chunk size in bytes; absent: adapts. */
  readonly chunkBytes?: number
  readonly minPeers: number
  readonly waitMs: number
  /** The job goes on when nobody listens to its events any more. Needs a joined process. */
  readonly detach: boolean
  /** Multiaddrs dialled before the job opens. */
  readonly peers: readonly string[]
}

/** What a job would cost, before a byte moves. */
export interface PlanView {
  readonly task: string
  readonly inputBytes: number
  readonly chunkBytes: number
  readonly chunks: number
  /** Connected peers that have the kernel. */
  readonly peers: number
  /** Estimate on this machine alone, in ms. */
  readonly aloneMs: number
  /** Estimate with the peers under the request's policy, in ms. */
  readonly swarmMs: number
  /** Bytes that would go out and come back. */
  readonly shippedBytes: number
  readonly worthShipping: boolean
  /** Two or three sentences: which way is faster, by how much, and what limits it. */
  readonly summary: string
  /** Which way is faster; `neither` within a few percent. */
  readonly faster?: 'alone' | 'swarm' | 'neither'
  /** aloneMs / swarmMs. */
  readonly speedup?: number
  /** What keeps it from being faster. */
  readonly limit?: ForecastLimit
  /** Share of the work that peers would do, 0 to 1. */
  readonly shippedShare?: number
  readonly basis?: PlanBasis
}

/** What a plan rests on. */
export interface PlanBasis {
  readonly threads: number
  /** Cores of this machine. */
  readonly cores: number
  readonly kernel: {
    readonly kernelId: string
    /** Thread time for a byte of a chunk while all threads work, in ns. */
    readonly nsPerByte: number
    /** What a cold start of the kernel takes, in ms. */
    readonly startMs: number
    /** Thread time for the check of a byte of a peer's result, in ns. */
    readonly checkNsPerByte: number
    readonly source: MeasureSource
    /** Unix ms; absent when assumed. */
    readonly measuredAtMs?: number
  }
  readonly peers: readonly PlanPeer[]
}

/** A peer as a plan sees it. */
export interface PlanPeer {
  readonly peerId: string
  readonly name: string
  /** Runs on this machine, so it adds no cores. */
  readonly sameMachine: boolean
  readonly threads: number
  /** Its kernel time for the whole job with all its threads, in ms. */
  readonly computeMs: number
  readonly computeSource: MeasureSource
  readonly linkBytesPerSecond: number
  readonly latencyMs: number
  /** Absent for a peer on this machine. */
  readonly linkSource?: MeasureSource
}

/** A job as listed. */
export interface JobView {
  readonly jobId: JobId
  readonly state: JobState
  /** Whether a process works on it now. An `open` job that is not running was interrupted and can be resumed. */
  readonly running: boolean
  readonly task: string
  readonly inputPath: string
  readonly outDir: string
  readonly inputBytes: number
  readonly mergedBytes: number
  /** Unix ms. */
  readonly openedAtMs: number
  readonly closedAtMs?: number
  readonly failure?: { readonly code: string; readonly message: string }
  readonly summary?: string
  readonly figures?: JobFigures
}

/** A job with its counters. */
export interface JobDetail extends JobView {
  readonly counters: JobCounters
  readonly outputs?: JobOutputs
  readonly recipe?: JobRecipe
  /** What was expected at submit; with the outcome once the job is done. */
  readonly forecast?: JobForecast | ForecastOutcome
}

/** How much a job was given to do: samples, sound, or a matrix product A [rows × inner] · B [inner × columns] in tiles. */
export type JobDimensions =
  | { readonly samples: number }
  | {
      readonly audioSeconds: number
      readonly channels: number
      readonly sampleRate: number
      /** Bytes that its chunks count. */
      readonly chunkBytes: number
    }
  | {
      readonly rows: number
      readonly inner: number
      readonly columns: number
      readonly tileRows: number
      readonly tileColumns: number
    }

/** How a job went, as the home's history keeps it. Times in ms. */
export interface JobFigures {
  readonly kernelId: string
  readonly local: LocalPolicy
  /** Absent when the job's parameters are broken. */
  readonly dimensions?: JobDimensions
  /** What {@link JobFigures.units} counts. */
  readonly unit: string
  /** Of the merged chunks. */
  readonly units: number
  readonly outputBytes: number
  readonly chunks: number
  readonly localChunks: number
  readonly peerCount: number
  /** Those with most chunks, at most 256. Bytes of input and output are those of the peer's merged chunks. */
  readonly peers: readonly {
    readonly peerId: string
    readonly name: string
    readonly chunks: number
    readonly units: number
    readonly computeMs: number
    readonly inputBytes: number
    readonly outputBytes: number
  }[]
  readonly releases: number
  readonly duplicates: number
  /** Over all runs of the job that have ended. */
  readonly totalMs: number
  readonly computeMs: number
  readonly transferMs: number
  /** computeMs / chunks; this and the following are 0 where there is nothing to divide by. */
  readonly averageChunkMs: number
  /** Input bytes of merged chunks / totalMs. */
  readonly bytesPerSecond: number
  readonly unitsPerSecond: number
  /** computeMs / (computeMs + transferMs) × 100. */
  readonly efficiency: number
}

/** What it takes to run a job again as it ran. */
export interface JobRecipe {
  /** Where the outputs go and who is dialled is decided anew. */
  readonly request: Omit<SubmitRequest, 'outDir' | 'outRoot' | 'detach' | 'peers'>
  /** As they were when the job opened. */
  readonly inputs: readonly FileStamp[]
}

/** How two results compare. Offsets and lengths are those of the plain results, in bytes. */
export type ResultComparison =
  | { readonly compared: false; readonly reason: string }
  | {
      readonly compared: true
      readonly equal: boolean
      readonly originalBytes: number
      readonly replayBytes: number
      /** Absent when equal. */
      readonly firstDifferenceByte?: number
      /** Matrices of one shape that differ. */
      readonly elements?: ElementDifferences
    }

/** How the elements of two matrices differ. */
export interface ElementDifferences {
  readonly compared: number
  /** Elements with other values; two NaNs are the same. */
  readonly differing: number
  /** Among those where both are finite: max |x − y|. */
  readonly largestAbsolute: number
  /** Among those where both are finite: max |x − y| / max(|x|, |y|). */
  readonly largestRelative: number
  /** Differing elements of which one is NaN or infinite. */
  readonly notFinite: number
}

/** A job and its replay. Ratios are replay / original, absent where the original's figure is 0. */
export interface ReplayView {
  readonly event: 'replayed'
  readonly original: JobDetail
  readonly replay: JobDetail
  readonly result: ResultComparison
  /** Whether the results must have the same bytes: all kernels but the fast matrix kernel, if both jobs had one kernel. */
  readonly mustBeEqual: boolean
  readonly ratios: {
    readonly totalMs?: number
    readonly averageChunkMs?: number
    readonly unitsPerSecond?: number
    readonly efficiency?: number
  }
}

/** Which receipts count. Absent fields: all. */
export interface LedgerFilter {
  readonly job?: string
  readonly peer?: string
}

/** What one peer did, as proved by verified receipts. */
export interface LedgerRow {
  /** From 1 by credit; 0 for work that earns none (a submitter's own chunks). */
  readonly rank: number
  readonly peerId: string
  readonly name: string
  readonly chunks: number
  /** Credit by unit, for example `{ samples: 158760000 }`. */
  readonly units: Readonly<Record<string, number>>
  /** As claimed. */
  readonly computeMs: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly jobs: number
  /** Unix ms of the newest receipt. */
  readonly lastSeenMs: number
  /** How results were verified, for example `['full']`. */
  readonly verifications: readonly string[]
}

/** Who did what, as far as this home could verify. */
export interface LedgerView {
  /** Ranked rows first, then rows of rank 0. */
  readonly rows: readonly LedgerRow[]
  readonly receipts: number
  readonly jobs: number
  /** Authors whose feed forked and is frozen. */
  readonly forks: readonly { readonly author: string; readonly sequence: number }[]
}

/** What `swarm ledger verify` found. */
export interface LedgerReport {
  readonly valid: boolean
  /** The file, or the home when no file was named. */
  readonly source: string
  /** Receipts with both signatures right. */
  readonly receipts: number
  /** Distinct (job, chunk). */
  readonly chunks: number
  /** Further receipts for a chunk already counted: no credit. */
  readonly duplicates: number
  /** Feed entries and job roots checked; 0 where the source has none. */
  readonly entries: number
  readonly roots: number
  /** Receipts whose input hash was checked against the file given, when one was. */
  readonly inputsChecked: number
  /** At most 100, in order of finding. */
  readonly problems: readonly { readonly code: string; readonly where: string; readonly message: string }[]
  readonly rows: readonly LedgerRow[]
}

/** What a joined process reports; `ready` comes first. */
export type PeerEvent =
  | {
      readonly event: 'ready'
      readonly peerId: string
      readonly name: string
      readonly swarmName: string
      readonly swarmId: string
      readonly home: string
      readonly addresses: readonly string[]
      readonly code: string
      /** True when this start founded the swarm. */
      readonly founded: boolean
      readonly threads: number
    }
  | { readonly event: 'addresses'; readonly addresses: readonly string[]; readonly code: string }
  | { readonly event: 'peer-connected'; readonly peerId: string; readonly name?: string }
  | { readonly event: 'peer-left'; readonly peerId: string; readonly name?: string }
  | {
      /** The first lease of a job of somebody else. */
      readonly event: 'job-joined'
      readonly jobId: string
      readonly submitter: string
      readonly submitterName: string
      readonly task: string
    }
  | {
      readonly event: 'job-left'
      readonly jobId: string
      /** Receipted chunks of this peer. */
      readonly chunks: number
      readonly reason: string
    }
  /** A claim was granted, so long after it was sent. */
  | { readonly event: 'chunks-granted'; readonly jobId: string; readonly chunks: number; readonly afterMs: number }
  | { readonly event: 'chunk-done'; readonly jobId: string; readonly chunkIndex: number; readonly computeMs: number }
  | { readonly event: 'chunk-receipted'; readonly jobId: string; readonly chunkIndex: number }
  | { readonly event: 'chunk-refused'; readonly jobId: string; readonly chunkIndex: number; readonly code: number }
  | { readonly event: 'chunk-dropped'; readonly jobId: string; readonly chunkIndex: number; readonly reason: string }
  /** Bytes that a lease's operands took from where, before its kernel began. */
  | {
      readonly event: 'operands-here'
      readonly jobId: string
      readonly chunkIndex: number
      readonly submitterBytes: number
      readonly peerBytes: number
      readonly cacheBytes: number
    }
  /** A peer gave bytes that are not what their hash names; it is not asked again for this job. */
  | { readonly event: 'operand-refused'; readonly jobId: string; readonly peerId: string; readonly reason: string }
  | { readonly event: 'submitter-lost'; readonly submitter: string; readonly reason: string }
  /** A job submitted through this process changed its state. */
  | { readonly event: 'job-state'; readonly jobId: string; readonly state: JobState; readonly message: string }
  | { readonly event: 'notice'; readonly message: string }

/** Which receipts go where. */
export interface ExportRequest extends LedgerFilter {
  /** Absolute. Written whole or not at all. */
  readonly path: string
}

/** How a home is opened as a peer. */
export interface OpenOptions {
  /** Default: SWARM_HOME, else the platform's data folder. */
  readonly home?: string
  /** `joined`: takes work, serves the socket. `one-off`: a submitter for as long as its command. */
  readonly role: 'joined' | 'one-off'
  /** Joins this swarm. Absent: the home's swarm; without one a `joined` home founds one, others throw NOT_A_MEMBER. */
  readonly code?: string
  /** Human name of this peer; kept in the home when given. */
  readonly name?: string
  /** Multiaddrs; empty: the defaults. */
  readonly listen: readonly string[]
  /** Multiaddrs to dial at start, beside those that the home knows. */
  readonly peers: readonly string[]
  /** Kernel threads; default: what the machine has. */
  readonly threads?: number
  /** What products are computed on; `cpu` when absent. `auto` takes a GPU that is faster. */
  readonly device?: 'auto' | 'cpu' | 'gpu'
  /** Bytes that the process may take in all while it works for others. */
  readonly memoryBytesMax?: number
  readonly mdns: boolean
}

/** What `swarm ledger verify` is given. */
export interface VerifyRequest {
  /** A ledger file; absent: everything in the home. */
  readonly file?: string
  readonly home?: string
  /** The job's input: then input hashes are checked too. */
  readonly inputPath?: string
}

/** What `swarm decrypt` is given. */
export interface DecryptRequest {
  /** A job's output folder, or its `.enc` file with key, iv and tag beside it. */
  readonly path: string
  /** Default: beside it, without `.enc`. */
  readonly outPath?: string
  /** Default: `encryption_key.bin` beside it. */
  readonly keyFile?: string
  /** Replaces an existing output. */
  readonly force: boolean
}

/** What came of it. */
export interface DecryptView {
  readonly path: string
  readonly byteLength: number
  /** Always true: the tag is checked before the first plain byte is published. */
  readonly authenticated: true
}

/** A matrix of noise, in C order. */
export interface MatrixShape {
  /** At least 1. */
  readonly rows: number
  /** At least 1. */
  readonly cols: number
}

/** What `swarm generate` is given. */
export interface GenerateRequest {
  readonly path: string
  /** Of the noise; multiple of 4. */
  readonly byteLength: number
  /** Absent: the noise as it is; else a float32 .npy file, whose elements are `byteLength`. */
  readonly matrix?: MatrixShape
  readonly seed: number
  readonly force: boolean
}

/** What came of it. */
export interface GenerateView {
  readonly path: string
  /** Of the file, header and all. */
  readonly byteLength: number
  readonly matrix?: MatrixShape
  readonly seed: number
  /** Lower-case hex of the file. */
  readonly sha256: string
}
