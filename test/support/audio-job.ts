import type { KernelCall } from '../../src/tasks/task-kind.ts'
import type { SignalSummary } from '../../src/tasks/wav/effects/effect.ts'
import { encodeHead } from '../../src/tasks/wav/segments/chunk-head.ts'
import type { SegmentRun } from '../../src/tasks/wav/segments/segment-grid.ts'
import { wavKernel } from '../../src/tasks/wav/wav.ts'
import { WavPasses } from '../../src/tasks/wav/wav-passes.ts'
import { parseWavPlan } from '../../src/tasks/wav/wav-plan.ts'
import { reduceReports, summarizeMeasures, type WavMeasures } from '../../src/tasks/wav/wav-reports.ts'
import { cutFrames, runsOf } from './audio-plans.ts'

/** A wav job in memory: the plainest thing that gives kernels their inputs, and puts together what they give. */
export class AudioJob {
  readonly params: Uint8Array
  readonly layout: WavPasses
  readonly summaries: (SignalSummary | undefined)[] = [undefined]
  readonly #source: Uint8Array
  readonly #impulses: ReadonlyMap<string, Uint8Array>
  /** What each pass gave: its audio, and the reports of its segments. */
  readonly #audio: Uint8Array[] = []
  readonly #reports: Uint8Array[][] = []

  constructor(params: Uint8Array, source: Uint8Array, impulses: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.params = params
    this.layout = new WavPasses(parseWavPlan(params))
    this.#source = source
    this.#impulses = impulses
  }

  get call(): KernelCall {
    return { kind: 'wav', params: this.params, reverse: false }
  }

  /** Runs all passes. @param counts segments of each chunk, repeated. @returns all bytes of all chunks */
  run(counts: readonly number[]): Uint8Array {
    const { grid } = this.layout
    const results: Uint8Array[] = []
    for (const run of runsOf(grid, counts)) {
      if (run.first === 0 && run.pass > 0) this.#summarize(run.pass)
      const result = wavKernel.run(this.inputOf(run), this.call)
      this.#keep(run, result)
      results.push(result)
    }
    return Buffer.concat(results)
  }

  /** The input of a chunk; the passes before have run. */
  inputOf(run: SegmentRun): Uint8Array {
    const pass = this.layout.pass(run.pass)
    const summary = this.summaries[run.pass]
    const audio = pass.inputPass === undefined ? this.#source : (this.#audio[pass.inputPass] ?? new Uint8Array(0))
    return Buffer.concat([
      encodeHead({ run, ...(summary !== undefined && { summary }) }),
      ...pass.impulses.map(({ path }) => this.#impulses.get(path) ?? new Uint8Array(0)),
      ...this.layout.inputRanges(run, summary).map((range) => cutFrames(audio, pass.input, range))
    ])
  }

  /** The job's result without what stands around it. */
  get audio(): Uint8Array {
    return this.#audio[this.layout.passes.length - 1] ?? new Uint8Array(0)
  }

  measures(): WavMeasures {
    return reduceReports(this.layout, (pass) => this.#reports[pass] ?? [])
  }

  reports(pass: number): readonly Uint8Array[] {
    return this.#reports[pass] ?? []
  }

  #summarize(pass: number): void {
    this.summaries[pass] = summarizeMeasures(this.layout, pass - 1, this.#reports[pass - 1] ?? [])
  }

  #keep(run: SegmentRun, result: Uint8Array): void {
    const { grid } = this.layout
    this.#audio[run.pass] ??= new Uint8Array(grid.passAudioBytes(run.pass))
    this.#reports[run.pass] ??= []
    let offset = 0
    for (const { audioBytes, audioOffset, index, reportBytes } of grid.segmentsOf(run)) {
      this.#audio[run.pass]?.set(result.subarray(offset, offset + audioBytes), audioOffset)
      const reports = this.#reports[run.pass] ?? []
      reports[index] = result.slice(offset + audioBytes, offset + audioBytes + reportBytes)
      offset += audioBytes + reportBytes
    }
  }
}
