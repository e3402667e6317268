import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { GenerateRequest, GenerateView } from '../../src/app/api-types.ts'
import { Generate } from '../../src/commands/generate.ts'
import { EXIT_CODES } from '../../src/errors.ts'
import { type CommandRun, runCommand } from './run-command.ts'

/** Runs the command on a fake that remembers what it was asked. */
async function run(...argv: string[]): Promise<CommandRun & { requests: GenerateRequest[] }> {
  const requests: GenerateRequest[] = []
  const source = {
    generate: async (request: GenerateRequest): Promise<GenerateView> => {
      requests.push(request)
      const { force: _, ...view } = request
      return { ...view, byteLength: request.byteLength + 128, sha256: 'c0ffee' }
    }
  }
  return { ...(await runCommand(Generate, argv, { source })), requests }
}

describe('generate --matrix', () => {
  test('asks for the bytes of the shape', async () => {
    const { requests, terminal } = await run('A.npy', '--matrix', '4096x4096', '--seed', '7', '--force')
    const matrix = { rows: 4_096, cols: 4_096 }
    expect(requests).toEqual([{ path: resolve('A.npy'), byteLength: 67_108_864, seed: 7, force: true, matrix }])
    expect(terminal.outLines.join('\n')).toContain('67.1 MB, 4,096 × 4,096 float32, seed 7, sha256 c0ffee')
  })

  test.each(['3x5', '3X5', ' 3 x 5 ', '3×5', '03x5'])('reads the shape %j', async (shape) => {
    const { requests } = await run('a/B.NPY', '--matrix', shape)
    expect(requests).toMatchObject([{ byteLength: 60, seed: 1, matrix: { rows: 3, cols: 5 } }])
  })

  test('prints the shape as JSON too', async () => {
    const { terminal } = await run('A.npy', '--matrix', '2x3', '--json')
    const [line = ''] = terminal.outLines
    expect(JSON.parse(line)).toEqual({
      path: resolve('A.npy'),
      byteLength: 152,
      seed: 1,
      sha256: 'c0ffee',
      matrix: { rows: 2, cols: 3 }
    })
  })

  test.each([
    '',
    '3',
    '3x',
    'x3',
    '0x3',
    '3x0',
    '-1x3',
    '1.5x3',
    '3x5x7',
    '3 5',
    '1e3x2',
    '33554432x33554432',
    `${'9'.repeat(400)}x1`
  ])('refuses the shape %j', async (shape) => {
    const { requests, terminal } = await run('A.npy', `--matrix=${shape}`, '--json')
    expect(requests).toEqual([])
    expect(terminal.exitCode).toBe(EXIT_CODES.usage)
    expect(terminal.outLines.join('\n')).toContain('"code":"SHAPE_MALFORMED"')
    expect(terminal.outLines.join('\n')).toContain('for example 4096x4096')
  })

  test('goes with no --size', async () => {
    const { requests, terminal } = await run('A.npy', '--matrix', '2x3', '--size', '24')
    expect(requests).toEqual([])
    expect(terminal.exitCode).toBe(EXIT_CODES.usage)
    expect(terminal.errLines.join('\n')).toMatch(/--size.*--matrix|--matrix.*--size/)
  })

  test('wants the name .npy for a matrix, and for nothing else', async () => {
    const matrix = await run('out/A.f32', '--matrix', '2x3', '--json')
    expect(matrix.terminal.outLines.join('\n')).toContain('"code":"OUTPUT_NAME"')
    expect(matrix.terminal.outLines.join('\n')).toContain('call it A.npy')
    const noise = await run('A.npy', '--json')
    expect(noise.terminal.outLines.join('\n')).toContain('"code":"OUTPUT_NAME"')
    expect(noise.terminal.outLines.join('\n')).toContain('--matrix')
    for (const { requests, terminal } of [matrix, noise]) {
      expect(requests).toEqual([])
      expect(terminal.exitCode).toBe(EXIT_CODES.usage)
    }
  })
})
