import type { AudioSource, FileStamp } from '../domain/job.ts'
import type { NewJob } from '../submitter/open-job.ts'

/** What a request's task and files make of a job. */
export interface JobShape
  extends Pick<NewJob, 'kind' | 'kernelId' | 'params' | 'inputBytes' | 'inputModifiedMs' | 'blockBytes'> {
  /** Longest chunk, in bytes. */
  readonly chunkBytesMax: number
  readonly operands?: { readonly a: FileStamp; readonly b: FileStamp }
  readonly audio?: AudioSource
  /** What the user should know before it begins. */
  readonly notices: readonly string[]
}
