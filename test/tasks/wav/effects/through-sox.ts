import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runTool, SOX } from '../../../support/audio-tools.ts'
import type { Signal } from './chain-runs.ts'

/**
 * Runs SoX over a signal, with 32-bit floats in and out.
 *
 * @param effects as on SoX's command line
 * @param channels of the output
 * @throws Error when SoX is not installed, fails or clips
 */
export function throughSox(signal: Signal, effects: string, channels = signal.samples.length): Float64Array[] {
  if (SOX === undefined) throw new Error('sox is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'swarm-sox-'))
  try {
    const path = join(folder, 'in.f32')
    writeFileSync(path, interleaved(signal.samples))
    const raw = (count: number): string[] => ['-t', 'f32', '-r', `${signal.sampleRate}`, '-c', `${count}`]
    const input = [...raw(signal.samples.length), path]
    const output = runTool(SOX, ['-D', '-V1', ...input, ...raw(channels), '-', ...effects.split(' ')])
    return deinterleaved(output, channels)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function interleaved(samples: readonly Float64Array[]): Uint8Array {
  const frames = samples[0]?.length ?? 0
  const mixed = new Float32Array(frames * samples.length)
  for (const [channel, values] of samples.entries()) {
    for (const [frame, value] of values.entries()) mixed[frame * samples.length + channel] = value
  }
  return new Uint8Array(mixed.buffer)
}

function deinterleaved(bytes: Buffer, channels: number): Float64Array[] {
  const mixed = new Float32Array(new Uint8Array(bytes).buffer)
  return Array.from({ length: channels }, (_, channel) =>
    Float64Array.from({ length: mixed.length / channels }, (_unused, frame) => mixed[frame * channels + channel] ?? NaN)
  )
}
