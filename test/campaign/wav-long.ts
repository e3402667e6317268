import { execFile } from 'node:child_process'
import { statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { parseChain } from '../../src/tasks/wav/chain/parse-chain.ts'
import { planChain } from '../../src/tasks/wav/chain/plan-chain.ts'
import { BLOCK_FRAMES } from '../../src/tasks/wav/effects/effect.ts'
import { SampleEncoder } from '../../src/tasks/wav/samples/encode-samples.ts'
import { Random } from '../sim/random.ts'
import { FFMPEG, SOX } from '../support/audio-tools.ts'
import type { JoinedPeer, SwarmWorld } from '../support/swarm-world.ts'
import { WavFrames } from '../support/wav-frames.ts'
import { writeMusic } from '../support/wav-music.ts'
import { checkFigure } from './matrix-pairs.ts'
import { forgetPeak, peakOf } from './matrix-processes.ts'
import { fail } from './run-campaign.ts'
import { NEVER, planOf, submitEffects } from './wav-runs.ts'
import type { Sizes } from './wav-sizes.ts'
import { blockOf } from './wav-unbroken-run.ts'

const EFFECTS = 'highpass 40, gain -3'
const SAMPLE_RATE = 96_000
const FRAME_BYTES = 6
/** The input, the result, and room for reports and pictures. */
const DISK_SHARE = 3
const RIFF_BYTES_MAX = 2 ** 32
const SUBMITTER_MB_MAX = 300
const WORKER_MB_MAX = 250
const SECONDS_COMPARED = 12

/** A file far beyond 4 GiB over two peers. */
export async function proveLong(world: SwarmWorld, { bytes }: Sizes): Promise<void> {
  const { bavail, bsize } = await statfs(world.folder)
  const [free, needed] = [bavail * bsize, DISK_SHARE * bytes]
  if (free < needed) {
    console.log(`skipped: ${gigabytes(needed)} are needed in ${world.folder}, but ${gigabytes(free)} are free`)
    return
  }
  const frames = Math.floor(bytes / FRAME_BYTES)
  const writing = performance.now()
  const input = await writeMusic(world.path('long.wav'), { sampleRate: SAMPLE_RATE, frames, encoding: 's24' })
  console.log(`${gigabytes(bytes)} written in ${((performance.now() - writing) / 1_000).toFixed(1)} s`)
  const studio = await world.join('studio')
  const workers = [await world.joinWith(studio, 'attic'), await world.joinWith(studio, 'laptop')]
  for (const peer of [studio, ...workers]) forgetPeak(peer)
  const args = [...NEVER, '--min-peers', '2']
  const done = await world.done(submitEffects(world, input, { effects: EFFECTS, out: 'long', args }))
  const seconds = frames / SAMPLE_RATE
  console.log(
    `${seconds.toFixed(0)} s of audio in ${(done.totalMs / 1_000).toFixed(1)} s, ${done.chunks} chunks, ` +
      done.peers.map(({ name, chunks }) => `${name} ${chunks}`).join(', ')
  )
  checkPeaks(studio, workers)
  await checkTools(done.outputs.result, frames)
  compareSeconds(input, done.outputs.result, planOf(done).segmentFrames[0] ?? SAMPLE_RATE)
}

function checkPeaks(studio: JoinedPeer, workers: readonly JoinedPeer[]): void {
  checkFigure("the submitter's peak", peakOf(studio) / 1e6, '≤', SUBMITTER_MB_MAX, 'MB')
  for (const worker of workers)
    checkFigure(`the peak of ${worker.name}`, peakOf(worker) / 1e6, '≤', WORKER_MB_MAX, 'MB')
}

/** What SoX and FFmpeg make of the result: its length, and its last second. */
async function checkTools(result: string, frames: number): Promise<void> {
  const seconds = frames / SAMPLE_RATE
  const secondBytes = SAMPLE_RATE * 2 * 4
  const last = (seconds - 1).toFixed(6)
  if (SOX === undefined) console.log('skipped: sox is not installed')
  else {
    checkFigure(
      'samples less or more to SoX',
      Math.abs(Number(await readFrom(SOX, ['--i', '-s', result])) - frames),
      '≤',
      0,
      ''
    )
    const audio = await readFrom(SOX, [result, '-t', 'f32', '-', 'trim', `${frames - SAMPLE_RATE}s`])
    checkFigure('bytes that SoX lacks of the last second', Math.abs(audio.byteLength - secondBytes), '≤', 0, '')
  }
  if (FFMPEG === undefined) {
    console.log('skipped: ffmpeg is not installed')
    return
  }
  const ask = ['-v', 'error', '-show_entries', 'format=duration', '-of', 'default=nk=1:nw=1', result]
  const duration = Number(await readFrom(join(dirname(FFMPEG), 'ffprobe'), ask))
  checkFigure('seconds less or more to ffprobe', Math.abs(duration - seconds), '≤', 1e-4, 's')
  for (const from of ['0', last]) {
    const audio = await readFrom(FFMPEG, ['-v', 'error', '-ss', from, '-i', result, '-t', '1', '-f', 'f32le', '-'])
    const missing = Math.abs(audio.byteLength - secondBytes) / 8
    checkFigure(`frames that FFmpeg lacks of the second from ${from}`, missing, '≤', 1, '')
  }
}

/** What a program writes to stdout; it takes as long as it takes: SoX needs a minute to open an RF64 file of 6 GB. */
async function readFrom(tool: string, args: readonly string[]): Promise<Buffer> {
  const { stdout } = await promisify(execFile)(tool, args, { encoding: 'buffer' })
  return stdout
}

/** Seconds of the result, some across segment borders, against the chain in this process. */
function compareSeconds(inputPath: string, resultPath: string, segmentFrames: number): void {
  using input = new WavFrames(inputPath)
  using result = new WavFrames(resultPath)
  const { shape } = result.file
  const { container } = result.file
  const expected = input.file.dataBytes + 100 > RIFF_BYTES_MAX ? 'rf64' : 'riff'
  if (container !== expected || input.file.container !== expected)
    fail(`the result is a ${container}, not a ${expected}`)
  else console.log(`ok      input and result are ${container}`)
  if (shape.frames !== input.file.shape.frames) fail(`the result has ${shape.frames} frames`)
  const random = new Random(4)
  let most = 0
  for (let turn = 0; turn < SECONDS_COMPARED; turn++) {
    const anywhere = random.integer(0, shape.frames - SAMPLE_RATE)
    // Every other one begins just before a border, the last is the file's end.
    const before = Math.max(0, Math.floor(anywhere / segmentFrames) * segmentFrames - SAMPLE_RATE / 2)
    const isLast = turn === SECONDS_COMPARED - 1
    const start = isLast ? shape.frames - SAMPLE_RATE : turn % 2 === 0 ? anywhere : before
    most = Math.max(most, stepsApart(input, result, start))
  }
  checkFigure(`steps of 24 bits apart, in ${SECONDS_COMPARED} seconds`, most, '≤', 1, '')
}

/** @returns the largest difference within a second, in steps of 24 bits; dither included, since it follows from the frame */
function stepsApart(input: WavFrames, result: WavFrames, start: number): number {
  const { shape } = input.file
  const end = start + SAMPLE_RATE
  const stream = planChain(parseChain(EFFECTS), shape, {}).open({ start, end }, (range) => input.open(range))
  const encoder = new SampleEncoder('s24', shape.channels, { dither: true })
  const expected = new Uint8Array(SAMPLE_RATE * FRAME_BYTES)
  const block = blockOf(shape)
  for (let frame = start; frame < end; ) {
    const count = Math.min(BLOCK_FRAMES, end - frame)
    stream.read(block, count)
    encoder.encode(block, count, frame, expected, (frame - start) * FRAME_BYTES)
    frame += count
  }
  const found = result.bytesOf({ start, end })
  let most = 0
  for (let offset = 0; offset < expected.byteLength; offset += 3) {
    most = Math.max(most, Math.abs(sample24(expected, offset) - sample24(found, offset)))
  }
  return most
}

function sample24(bytes: Uint8Array, offset: number): number {
  const [low, middle, high] = [bytes[offset] as number, bytes[offset + 1] as number, bytes[offset + 2] as number]
  return ((high << 24) | (middle << 16) | (low << 8)) >> 8
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`
}
