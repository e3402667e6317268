import { join, resolve } from 'node:path'
import { Config } from '@oclif/core'
import { describe, expect, test } from 'vitest'
import { parseSubmitRequest } from '../../src/api/requests.ts'
import { Effects } from '../../src/commands/effects.ts'
import { buildRequest, Submit } from '../../src/commands/submit.ts'
import { CATALOGUE } from '../../src/tasks/wav/effects/catalogue.ts'
import { RecordingTerminal } from '../cli/recording-terminal.ts'
import { runCommand } from './run-command.ts'

/** Runs a command that needs no app. @returns what it wrote */
async function runEffects(argv: string[]): Promise<string> {
  const command = new Effects(argv, await Config.load(join(import.meta.dirname, '..', '..')))
  const terminal = new RecordingTerminal()
  command.terminal = terminal
  await command.execute()
  expect(terminal.exitCode).toBeUndefined()
  return terminal.outLines.join('\n')
}

describe('submit of audio', () => {
  test('turns flags into the audio part of its request', async () => {
    const { app } = await runCommand(Submit, [
      'show.wav',
      '--task',
      'wav',
      '--effects',
      'highpass 80, convolve room.wav',
      '--format',
      'pcm24',
      '--salvage'
    ])
    const folder = process.cwd()
    const audio = { folder, effects: 'highpass 80, convolve room.wav', format: 'pcm24', salvage: true }
    expect(app.calls).toMatchObject([['submit', { inputPath: resolve('show.wav'), task: 'wav', audio }]])
  })

  test('turns flags of silence into settings', async () => {
    const flags = ['--threshold', '-45dB', '--hysteresis', '2dB', '--min-silence', '1s', '--min-sound', '50ms']
    const { app } = await runCommand(Submit, ['show.wav', '--task', 'silence', ...flags])
    const silence = { threshold: '-45dB', hysteresis: '2dB', leastSilence: '1s', leastSound: '50ms' }
    expect(app.calls).toMatchObject([['submit', { audio: { folder: process.cwd(), silence } }]])
  })

  test('says nothing of audio when no flag does', () => {
    expect(buildRequest('a.f32', { task: 'invert', local: 'auto' }).audio).toBeUndefined()
  })

  test('makes requests that the server takes, an empty chain among them', () => {
    for (const effects of ['', 'gain -3']) {
      const request = buildRequest('a.wav', { task: 'wav', local: 'auto', effects })
      expect(parseSubmitRequest(JSON.parse(JSON.stringify(request)))).toEqual(request)
    }
  })

  test('refuses an unknown format with exit code 2', async () => {
    const { app, terminal } = await runCommand(Submit, ['show.wav', '--task', 'wav', '--format', 'pcm12'])
    expect(terminal.exitCode).toBe(2)
    expect(app.calls).toEqual([])
  })
})

describe('effects', () => {
  test('lists every effect with what it takes', async () => {
    const text = await runEffects([])
    for (const { name, parameters, summary } of CATALOGUE) {
      expect(text).toContain(summary)
      expect(text).toMatch(new RegExp(`^${name}\\b`, 'm'))
      for (const parameter of parameters) expect(text).toContain(`    ${parameter.name}: ${parameter.summary}; `)
    }
    expect(text).toContain('The whole file is measured first.')
  })

  test('gives the same as JSON', async () => {
    const { effects } = JSON.parse(await runEffects(['--json']))
    expect(effects.map(({ name }: { name: string }) => name)).toEqual(CATALOGUE.map(({ name }) => name))
  })
})
