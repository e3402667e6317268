// Run as a process of its own by tests that kill it.
import { resolveHome } from '../../src/store/home.ts'
import { acquireHomeLock } from '../../src/store/home-lock.ts'

// The parent's end closes the pipe, so a failed test leaves nothing behind.
process.stdin.resume().once('end', () => process.exit())

const [role, folder = ''] = process.argv.slice(2)
const paths = resolveHome({ home: folder, env: {} })

switch (role) {
  case 'lock-home':
    acquireHomeLock(paths)
    process.stdout.write('ready\n')
    break
  case 'write-journal':
    await writeJournal()
    break
  default:
    throw new Error(`unknown role ${role}`)
}

/** Grants and merges without end, and prints each index once it is journalled. */
async function writeJournal(): Promise<void> {
  const { openDatabase } = await import('../../src/store/database.ts')
  const { JournalStore } = await import('../../src/store/journal-store.ts')
  const { testChunk, testJob } = await import('./support-journal.ts')
  const journal = new JournalStore(openDatabase(paths.database))
  const job = testJob('a')
  const { jobId } = job.spec
  journal.create(job)
  for (let index = 0; ; index++) {
    journal.grant(jobId, [{ ...testChunk(index), epoch: 1, attempts: 0 }])
    journal.merge(jobId, [{ chunkIndex: index, computeMs: 1, transferMs: 1 }], undefined)
    process.stdout.write(`${index}\n`)
    // Lets the pipe drain, so that what was printed was seen.
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
