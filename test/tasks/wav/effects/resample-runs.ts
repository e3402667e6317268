import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BLOCK_FRAMES, type PlannedEffect } from '../../../../src/tasks/wav/effects/effect.ts'
import { runTool, SOX } from '../../../support/audio-tools.ts'
import { type Signal, SignalStream } from './chain-runs.ts'

/** Frames of a range of one effect's output, read in blocks of the given sizes in turn. */
export function runEffect(
  plan: PlannedEffect,
  signal: Signal,
  range = { start: 0, end: plan.output.frames },
  sizes: readonly number[] = [BLOCK_FRAMES]
): Float64Array[] {
  const result = signal.samples.map(() => new Float64Array(range.end - range.start))
  if (range.start === range.end) return result
  const stream = plan.open(range, new SignalStream(signal.samples, plan.inputRange(range)))
  const block = signal.samples.map(() => new Float64Array(BLOCK_FRAMES))
  for (let done = 0, turn = 0; done < range.end - range.start; turn++) {
    const count = Math.min(sizes[turn % sizes.length] ?? 1, range.end - range.start - done)
    stream.read(block, count)
    for (const [channel, samples] of block.entries()) result[channel]?.set(samples.subarray(0, count), done)
    done += count
  }
  return result
}

/** By time in seconds: tones below 0.9 of the lower half rate, under an envelope that keeps them away from both ends. */
export function tones(frames: number, rate: number, lowerRate: number): (time: number) => number {
  const seconds = frames / rate
  const frequencies = [0.01, 0.11, 0.37, 0.62, 0.85].map((part) => (part * lowerRate) / 2)
  return (time) => {
    const hann = time < 0 || time > seconds ? 0 : 0.5 - 0.5 * Math.cos((2 * Math.PI * time) / seconds)
    return (
      frequencies.reduce((sum, frequency, i) => sum + 0.15 * Math.sin(2 * Math.PI * frequency * time + i), 0) * hann
    )
  }
}

/**
 * Runs SoX over one channel, with 32-bit floats in and out.
 * @param effects as on SoX's command line, ending with the output's rate
 * @throws Error when SoX is not installed or fails
 */
export function rateThroughSox({ sampleRate, samples }: Signal, effects: string, rate: number): Float64Array {
  if (SOX === undefined) throw new Error('sox is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'swarm-sox-'))
  try {
    const path = join(folder, 'in.f32')
    writeFileSync(path, new Uint8Array(Float32Array.from(samples[0] ?? []).buffer))
    const raw = (hz: number): string[] => ['-t', 'f32', '-r', `${hz}`, '-c', '1']
    const output = runTool(SOX, ['-D', '-V1', ...raw(sampleRate), path, ...raw(rate), '-', ...effects.split(' ')])
    return Float64Array.from(new Float32Array(new Uint8Array(output).buffer))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
