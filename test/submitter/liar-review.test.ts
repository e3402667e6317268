import { describe, expect, test } from 'vitest'
import { contentHash } from '../../src/content-hash.ts'
import { peerName } from '../../src/domain/ids.ts'
import type { Chunk } from '../../src/domain/job.ts'
import type { JobContext } from '../../src/submitter/job-context.ts'
import { LiarReview } from '../../src/submitter/liar-review.ts'

const ada = peerName('ada')
const eve = peerName('eve')

function chunkOf(chunkIndex: number): Chunk {
  return { chunkIndex, inputOffset: chunkIndex * 4, inputBytes: 4, outputOffset: chunkIndex * 4, outputBytes: 4 }
}

function honest({ chunkIndex }: Chunk): Uint8Array<ArrayBuffer> {
  return new Uint8Array(4).fill(chunkIndex + 1)
}

const trueHash = (chunkIndex: number) => contentHash(honest(chunkOf(chunkIndex)))
const falseHash = contentHash(new Uint8Array(4))

/** A job whose chunks are computed here, and what was asked of it. */
function makeJob(verification: string, journalled: readonly object[] = []) {
  const computed: number[] = []
  const failures: unknown[] = []
  const job = {
    kind: { verification },
    spec: { jobId: 'a job' },
    signal: new AbortController().signal,
    fail: (error: unknown) => void failures.push(error),
    ports: { buffers: { give: () => undefined }, journal: { chunks: () => journalled } },
    source: {
      compute: async (chunk: Chunk) => {
        computed.push(chunk.chunkIndex)
        return { buffer: honest(chunk).buffer, byteLength: 4, computeMs: 1 }
      }
    }
  } as unknown as JobContext
  return { review: new LiarReview(job), computed, failures }
}

describe('what a liar gave before it was found out', () => {
  test('is computed again, and nothing of others', async () => {
    const { review, computed, failures } = makeJob('sampled')
    review.accepted(eve, chunkOf(0), trueHash(0))
    review.accepted(ada, chunkOf(1), falseHash)
    review.accepted(eve, chunkOf(2), trueHash(2))
    review.lied(eve)
    await review.settled()
    expect(computed).toEqual([0, 2])
    expect(failures).toEqual([])
  })

  test('ends the job when some of it is false, and says what and whose', async () => {
    const { review, failures } = makeJob('sampled')
    review.accepted(eve, chunkOf(0), trueHash(0))
    review.accepted(eve, chunkOf(3), falseHash)
    review.lied(eve)
    await expect(review.settled()).rejects.toMatchObject({
      code: 'RESULT_FALSE',
      message: expect.stringMatching(/peer eve .* chunk 3.*--local only/s)
    })
    expect(failures).toHaveLength(1)
  })

  test('is looked at when it passes its check only afterwards', async () => {
    const { review } = makeJob('sampled')
    review.lied(eve)
    await review.settled()
    review.accepted(eve, chunkOf(1), falseHash)
    await expect(review.settled()).rejects.toMatchObject({ code: 'RESULT_FALSE' })
  })

  test('counts from before the submitter was started again', async () => {
    const merged = { chunkIndex: 5, peerId: eve, outputHash: falseHash }
    const { review } = makeJob('sampled', [{ ...chunkOf(4) }, { ...chunkOf(5), merged }])
    review.lied(eve)
    await expect(review.settled()).rejects.toMatchObject({ message: expect.stringContaining('chunk 5') })
  })

  test('needs no second look where all of every result is checked', async () => {
    const { review, computed } = makeJob('full')
    review.accepted(eve, chunkOf(0), falseHash)
    review.lied(eve)
    await review.settled()
    expect(computed).toEqual([])
  })
})
