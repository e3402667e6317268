import type { InputPart } from '../domain/chunk-parts.ts'
import type { ComputePool, SegmentFindings, SegmentReports } from '../domain/compute.ts'
import type { AudioSource, Chunk, JobSpec } from '../domain/job.ts'
import type { SegmentCutter } from '../domain/segment-cutter.ts'
import type { FrameRange } from '../tasks/wav/audio-format.ts'
import type { SignalSummary } from '../tasks/wav/effects/effect.ts'
import { encodeHead } from '../tasks/wav/segments/chunk-head.ts'
import type { SegmentRun } from '../tasks/wav/segments/segment-grid.ts'
import type { SegmentJob } from '../tasks/wav/segments/segment-job.ts'
import type { SegmentPlaces } from '../tasks/wav/segments/segment-places.ts'
import { type EncodedAudio, frameBytes } from '../tasks/wav/wav-plan.ts'
import type { JobPasses } from './chunk-input.ts'

/** Samples within a file. */
export interface AudioPlace {
  /** Absolute. */
  readonly path: string
  /** Where the first frame lies, in bytes. */
  readonly offset: number
}

/** What the input of a run of segments is taken from. */
interface RunSources {
  readonly summary: SignalSummary | undefined
  /** Samples of impulse responses, by the path that the chain names. */
  readonly impulses: ReadonlyMap<string, AudioPlace>
  /** Frames of the pass's input. */
  framesOf(range: FrameRange): readonly InputPart[]
}

/** @returns the input of a run of segments: its head, impulse responses, frames */
function runParts(job: SegmentJob, run: SegmentRun, { summary, impulses, framesOf }: RunSources): readonly InputPart[] {
  const pass = job.pass(run.pass)
  return [
    { bytes: encodeHead({ run, ...(pass.needsSummary && summary !== undefined && { summary }) }) },
    ...pass.impulses.map((impulse) => {
      const place = impulses.get(impulse.path)
      if (place === undefined) throw new RangeError(`the job does not say where ${impulse.path} lies`)
      return { ...place, byteLength: impulse.frames * frameBytes(impulse) }
    }),
    ...job.inputRanges(run, summary).flatMap((range) => framesOf(range))
  ]
}

/** @returns the input of a run of the first pass's segments, which need nothing that went before */
export function firstPassParts(
  job: SegmentJob,
  run: Omit<SegmentRun, 'pass'>,
  { impulses, samples }: Pick<AudioSource, 'impulses' | 'samples'>
): readonly InputPart[] {
  return runParts(
    job,
    { pass: 0, ...run },
    {
      summary: undefined,
      impulses: impulsePlaces(impulses),
      framesOf: (range) => [sourcePart(samples, job.pass(0).input, range)]
    }
  )
}

/** Where impulse responses lie, by the name that the chain has for them. */
export function impulsePlaces(impulses: AudioSource['impulses']): ReadonlyMap<string, AudioPlace> {
  return new Map(impulses.map(({ name, offset, stamp }) => [name, { path: stamp.path, offset }]))
}

function sourcePart({ path, offset }: AudioPlace, input: EncodedAudio, { start, end }: FrameRange): InputPart {
  const bytes = frameBytes(input)
  return { path, offset: offset + start * bytes, byteLength: (end - start) * bytes }
}

/** What the passes of a job are made of. */
export interface SegmentPassesInit {
  readonly spec: Pick<JobSpec, 'kind' | 'params'>
  readonly job: SegmentJob
  readonly source: AudioPlace
  /** Samples of impulse responses, by the path that the chain names. */
  readonly impulses: ReadonlyMap<string, AudioPlace>
  readonly places: SegmentPlaces
  /** The file that chunks are placed in. */
  readonly placedPath: string
  readonly cutter: Pick<SegmentCutter, 'openPasses' | 'openNext'>
  readonly compute: Pick<ComputePool, 'summarizePass' | 'concludeSegments'>
  /** Aborts when the job ends. */
  readonly signal: AbortSignal
}

/** Segments of an earlier pass that one chunk reads at most: more would be a plan that no planner makes. */
const PARTS_MAX = 100_000

/**
 * Owns what each pass of a job found: a pass is opened once all of the one before is placed and summarised. Says what the
 * inputs of chunks are made of.
 */
export class SegmentPasses implements JobPasses {
  readonly #init: SegmentPassesInit
  /** Of what went before each pass; the first pass needs none. */
  readonly #summaries: PromiseWithResolvers<SignalSummary | undefined>[]
  #advancing: Promise<void> | undefined

  constructor(init: SegmentPassesInit) {
    this.#init = init
    this.#summaries = Array.from({ length: init.job.grid.passCount }, () => Promise.withResolvers())
    this.#summaries[0]?.resolve(undefined)
    const onEnd = (): void => {
      for (const summary of this.#summaries) summary.reject(init.signal.reason)
    }
    for (const { promise } of this.#summaries) promise.catch(() => undefined)
    if (init.signal.aborted) onEnd()
    else init.signal.addEventListener('abort', onEnd, { once: true })
  }

  /** @returns the input of a chunk, once the passes before have given what it needs */
  async partsOf({ inputOffset, inputBytes }: Chunk): Promise<readonly InputPart[]> {
    const { job } = this.#init
    const run = job.grid.runOf(inputOffset, inputBytes)
    const summary = await this.#summaries[run.pass]?.promise
    return runParts(job, run, {
      summary,
      impulses: this.#init.impulses,
      framesOf: (range) => this.#framesOf(run.pass, range)
    })
  }

  /** About how many bytes a chunk reads. */
  inputBytes({ inputOffset, inputBytes }: Chunk): number {
    const { job } = this.#init
    const run = job.grid.runOf(inputOffset, inputBytes)
    const { input, impulses } = job.pass(run.pass)
    const share = run.count / job.grid.segmentCount(run.pass)
    const impulseBytes = impulses.reduce((sum, impulse) => sum + impulse.frames * frameBytes(impulse), 0)
    return Math.ceil(share * input.frames * frameBytes(input)) + impulseBytes
  }

  advance(consumedBytes: number): Promise<void> | undefined {
    const { cutter, job } = this.#init
    const next = cutter.openPasses
    if (this.#advancing !== undefined || next >= job.grid.passCount || consumedBytes < job.grid.passOffset(next)) return
    this.#advancing = this.#open(next).finally(() => {
      this.#advancing = undefined
    })
    return this.#advancing
  }

  conclude({ signal }: { signal: AbortSignal }): Promise<SegmentFindings> {
    return this.#init.compute.concludeSegments(this.#reports(), { signal })
  }

  async #open(pass: number): Promise<void> {
    const { compute, cutter, signal } = this.#init
    const summary = await compute.summarizePass({ ...this.#reports(), pass: pass - 1 }, { signal })
    this.#summaries[pass]?.resolve(summary)
    cutter.openNext()
  }

  #reports(): SegmentReports {
    const { spec, places, placedPath } = this.#init
    const { kind, params } = spec
    const { headBytes, tailBytes } = places
    return { kind, params, path: placedPath, headBytes, tailBytes }
  }

  /** Frames of a pass's input: of the source, or of the audio that an earlier pass gave, segment by segment. */
  #framesOf(passIndex: number, { start, end }: FrameRange): readonly InputPart[] {
    const { job, source, places, placedPath } = this.#init
    const { input, inputPass } = job.pass(passIndex)
    const bytes = frameBytes(input)
    if (inputPass === undefined) return [sourcePart(source, input, { start, end })]
    const parts: InputPart[] = []
    const first = job.grid.segment(inputPass, 0)
    const segmentFrames = first.audioBytes / bytes
    for (let index = Math.floor(start / segmentFrames); index * segmentFrames < end; index++) {
      if (parts.length === PARTS_MAX) throw new RangeError(`a chunk reads more than ${PARTS_MAX} segments`)
      const from = Math.max(start, index * segmentFrames)
      const to = Math.min(end, (index + 1) * segmentFrames)
      const offset = places.audioPosition(inputPass, index) + (from - index * segmentFrames) * bytes
      parts.push({ path: placedPath, offset, byteLength: (to - from) * bytes })
    }
    return parts
  }
}
