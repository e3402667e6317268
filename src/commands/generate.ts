import { parse, resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import type { GenerateRequest, MatrixShape } from '../app/api-types.ts'
import { formatBytes, formatCount, parseByteSize } from '../cli/quantities.ts'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { SwarmCommand } from './base/swarm-command.ts'

/** One hour of mono Float32 at 44.1 kHz. */
export const GENERATE_BYTES = 635_040_000

/** Their bytes, and a header's, stay below 2⁵³. */
const ELEMENTS_MAX = 2 ** 50
const SAMPLE_BYTES = 4
const SEED_MAX = 2 ** 32 - 1

/** `swarm generate` */
export class Generate extends SwarmCommand {
  static override summary = 'Write Float32 noise in [-1, 1), to try things with.'
  static override description =
    'The same seed and size give the same bytes everywhere. With --matrix the file is a NumPy matrix (.npy, float32).'
  static override examples = [
    '<%= config.bin %> <%= command.id %> noise.f32',
    '<%= config.bin %> <%= command.id %> small.f32 --size 64MiB --seed 7',
    '<%= config.bin %> <%= command.id %> A.npy --matrix 4096x4096 --seed 1'
  ]
  static override args = {
    file: Args.string({ description: 'File to write', required: true, ignoreStdin: true })
  }
  static override flags = {
    size: Flags.string({ description: 'Bytes (default: one hour of mono at 44.1 kHz, 635040000)', helpValue: 'SIZE' }),
    matrix: Flags.string({
      description: 'Write a matrix of this shape as .npy',
      helpValue: 'ROWSxCOLS',
      exclusive: ['size']
    }),
    seed: Flags.integer({ description: 'Seed', default: 1, min: 0, max: SEED_MAX }),
    force: Flags.boolean({ description: 'Replace the file when it exists', default: false })
  }

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Generate)
    const { force, seed } = flags
    const matrix = flags.matrix === undefined ? undefined : parseMatrixShape(flags.matrix)
    checkName(args.file, matrix)
    const request: GenerateRequest =
      matrix === undefined
        ? { path: resolve(args.file), byteLength: parseSampleBytes(flags.size), seed, force }
        : { path: resolve(args.file), byteLength: matrix.rows * matrix.cols * SAMPLE_BYTES, seed, force, matrix }
    const written = await this.app.generate(request, { signal: this.signal })
    const shape = matrix === undefined ? '' : `${formatCount(matrix.rows)} × ${formatCount(matrix.cols)} float32, `
    this.show(
      flags.json,
      written,
      () =>
        `${written.path}\n${formatBytes(written.byteLength)}, ${shape}seed ${written.seed}, sha256 ${written.sha256}`
    )
  }
}

function parseSampleBytes(size: string | undefined): number {
  const byteLength = size === undefined ? GENERATE_BYTES : parseByteSize(size)
  if (byteLength % SAMPLE_BYTES === 0) return byteLength
  throw usage('SIZE_MALFORMED', `${byteLength} bytes are no whole number of ${SAMPLE_BYTES}-byte samples`)
}

/** Reads a shape such as `4096x4096`. @throws SwarmError SHAPE_MALFORMED */
function parseMatrixShape(text: string): MatrixShape {
  const match = /^(\d+)\s*[x×]\s*(\d+)$/i.exec(text.trim())
  const rows = Number(match?.[1])
  const cols = Number(match?.[2])
  if (rows * cols > 0 && rows * cols < ELEMENTS_MAX) return { rows, cols }
  const expected = 'expected rows and columns, each at least 1, for example 4096x4096'
  throw usage('SHAPE_MALFORMED', `"${text}" is no shape of a matrix that a file can hold: ${expected}`)
}

/** A matrix under another name would not be found to be one; noise under this name would be no matrix. */
function checkName(file: string, matrix: MatrixShape | undefined): void {
  const isNpy = /\.npy$/i.test(file)
  if (matrix !== undefined && !isNpy) {
    throw usage('OUTPUT_NAME', `a matrix is written as .npy, but the file is ${file}; call it ${parse(file).name}.npy`)
  }
  if (matrix === undefined && isNpy) {
    throw usage('OUTPUT_NAME', `${file} would be no .npy file without a shape; add --matrix ROWSxCOLS, or call it .f32`)
  }
}

function usage(code: string, message: string): SwarmError {
  return new SwarmError(code, message, { exitCode: EXIT_CODES.usage })
}
