import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FFMPEG, runTool } from '../support/audio-tools.ts'

/** A folder for one test file, and what makes and reads sound in it. */
export class SoundFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'swarm-decode-'))

  file(name: string): string {
    return join(this.path, name)
  }

  write(name: string, bytes: Uint8Array): string {
    writeFileSync(this.file(name), bytes)
    return this.file(name)
  }

  /** Encodes noise and a tone of exactly `frames` frames with FFmpeg. */
  encode(name: string, frames: number, args: readonly string[], channels = 2, rate = 44_100): string {
    const tone = Array.from(
      { length: channels },
      (_, index) => `0.3*sin(2*PI*${330 * (index + 1)}*t)+0.02*sin(9*t*t*t)`
    )
    const source = `aevalsrc='${tone.join('|')}':s=${rate},atrim=end_sample=${frames}`
    const output = this.file(name)
    runTool(FFMPEG as string, ['-v', 'error', '-y', '-f', 'lavfi', '-i', source, ...args, output])
    return output
  }

  /** What FFmpeg itself decodes. */
  reference(path: string): Float32Array {
    const bytes = runTool(FFMPEG as string, ['-v', 'error', '-i', path, '-vn', '-f', 'f32le', 'pipe:1'])
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }

  samples(path: string): Float32Array {
    const bytes = readFileSync(path)
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Greatest difference of samples that both have. */
export function greatestDifference(one: Float32Array, other: Float32Array): number {
  let greatest = 0
  for (let index = 0; index < Math.min(one.length, other.length); index += 1) {
    greatest = Math.max(greatest, Math.abs((one[index] as number) - (other[index] as number)))
  }
  return greatest
}
