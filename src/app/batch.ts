import { join } from 'node:path'
import type { FileStamp } from '../domain/job.ts'
import type { Waiting } from './api-types.ts'
import { type BatchSearch, findBatchFiles } from './batch-files.ts'
import { findKeptNames, nameFolders } from './batch-names.ts'

/** One file of a batch, and where its result goes. */
export interface BatchFile {
  readonly input: FileStamp
  /** Absolute. */
  readonly outDir: string
}

/** Finds a batch's files and gives each a folder below `outRoot` (absolute). @throws SwarmError as {@link findBatchFiles} */
export async function planBatch(search: BatchSearch, outRoot: string, waiting: Waiting): Promise<readonly BatchFile[]> {
  const inputs = await findBatchFiles(search, waiting)
  const paths = inputs.map(({ path }) => path)
  const names = nameFolders(paths, await findKeptNames(outRoot, paths, waiting))
  return inputs.map((input, index) => ({ input, outDir: join(outRoot, names[index] ?? '') }))
}
