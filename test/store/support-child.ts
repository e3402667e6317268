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
  case 'write-ledger':
    await writeLedger()
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

/** Keeps and appends receipts without end, and prints the head's sequence number once others may hear of it. */
async function writeLedger(): Promise<void> {
  const { makeReceipt, openLedger, UNTIL_DONE } = await import('./support-ledger.ts')
  const { ledger } = openLedger('worker', paths.database)
  ledger.setListener({
    onHeads: (heads) => process.stdout.write(`${heads.map(({ sequence }) => sequence).join()}\n`),
    onForkProof: () => undefined,
    onWaiting: () => undefined
  })
  for (let chunkIndex = 0; ; chunkIndex++) {
    await ledger.keepReceipts([await makeReceipt({ chunkIndex })], UNTIL_DONE)
    await ledger.appendWaiting(UNTIL_DONE)
  }
}
