// What `swarm submit --local only` does with compute threads and sink, without the rest of the submitter.
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { KernelPool } from '../../src/compute/compute-pool.ts'
import { openSink } from '../../src/store/sink.ts'

/** Runs the pipeline. @returns elapsed ms from first thread to published files, threads started included */
export async function localPipeline(
  input: string,
  outDir: string,
  options: { threads: number; chunkBytes: number; window: number; seal: boolean }
): Promise<number> {
  const startedMs = performance.now()
  const { chunkBytes, seal, threads, window } = options
  const { signal } = new AbortController()
  const outputBytes = statSync(input).size
  const pool = new KernelPool(threads)
  const { sink } = await openSink(
    {
      outDir,
      fileName: 'result.f32',
      outputBytes,
      ...(seal && { sealing: { key: randomBytes(32), iv: randomBytes(16) } }),
      onStall: () => undefined
    },
    { signal }
  )
  const call = { kind: 'invert', params: new Uint8Array(0), reverse: true }
  let left = outputBytes
  let chunkIndex = 0
  const lane = async (): Promise<void> => {
    let buffer = new ArrayBuffer(chunkBytes)
    while (left > 0) {
      const byteLength = Math.min(chunkBytes, left)
      left -= byteLength
      const chunk = { chunkIndex, outputOffset: outputBytes - left - byteLength, byteLength }
      chunkIndex += 1
      const parts = [{ path: input, offset: left, byteLength }]
      const ran = await pool.runLocal({ call, input: parts, buffer }, { signal })
      buffer = await sink.put(chunk, ran.buffer, { signal })
    }
  }
  await Promise.all(Array.from({ length: window }, lane))
  await sink.finish({ signal })
  await sink.publish()
  await pool.close()
  return performance.now() - startedMs
}
