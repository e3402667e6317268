import { describe, expect, test } from 'vitest'
import { type BatchOutcome, countOutcomes, outcomeOf } from '../../src/cli/batch-outcome.ts'
import { BatchProgress, RUNNING_LINE_INTERVAL_MS } from '../../src/cli/batch-progress.ts'
import { BATCH_ROWS_MAX, formatBatch } from '../../src/cli/batch-table.ts'
import type { AudioFigures, LevelFigures, SilenceFigures } from '../../src/domain/findings.ts'
import { ACCEPTED, DONE, JOB, PROGRESS, STOPPED } from '../api/fake-app.ts'
import { RecordingTerminal } from './recording-terminal.ts'

const KICK = { file: 'kick.wav', folder: '/out/kick', inputBytes: 1_000 }
const SNARE = { file: 'snare.wav', folder: '/out/snare', inputBytes: 3_000 }
const LEVELS: LevelFigures = {
  durationSeconds: 1,
  loudnessLufs: -23.04,
  loudnessRangeLu: 0,
  momentaryMaxLufs: -23,
  shortTermMaxLufs: null,
  channels: []
}
const FINDINGS: AudioFigures = {
  effects: 'normalize -16LUFS',
  format: 's16',
  dithered: true,
  clippedSamples: [0, 0],
  before: LEVELS,
  after: { ...LEVELS, loudnessLufs: -16 }
}
const SILENCES: SilenceFigures = {
  duration: 3,
  silences: 1,
  sounds: 2,
  silentSeconds: 2,
  soundSeconds: 1,
  bridgedBursts: 0,
  settings: {}
}
const DONE_KICK = outcomeOf(KICK, { ...DONE, findings: FINDINGS })
const FAILED_SNARE: BatchOutcome = { ...SNARE, state: 'failed', code: 'WAV_MALFORMED', message: 'no data chunk' }

describe('the outcome of a job', () => {
  test('has what the table tells', () => {
    expect(DONE_KICK).toEqual({
      ...KICK,
      state: 'done',
      jobId: JOB,
      totalMs: 2_000,
      chunks: 4,
      peerShare: 0.75,
      loudness: { before: -23.04, after: -16 }
    })
  })

  test('has no loudness when the job measured none', () => {
    expect(outcomeOf(KICK, DONE)).not.toHaveProperty('loudness')
    expect(outcomeOf(KICK, { ...DONE, findings: SILENCES })).not.toHaveProperty('loudness')
  })

  test('tells of clipped samples', () => {
    const findings = { ...FINDINGS, clippedSamples: [1, 2] }
    expect(outcomeOf(KICK, { ...DONE, findings }).message).toMatch(/^3 samples clipped: lower the gain/)
  })

  test('of a stopped one says that the batch goes on with it', () => {
    expect(outcomeOf(KICK, { event: 'stopped', jobId: JOB, message: 'resume with: x' }).message).toBe(
      'resume with: x, or run the batch again'
    )
  })

  test('counts as failed when somebody else stopped it', () => {
    const outcomes: BatchOutcome[] = [
      { ...KICK, state: 'stopped' },
      { ...KICK, state: 'cancelled' },
      { ...KICK, state: 'not started' }
    ]
    expect(countOutcomes(outcomes, false)).toEqual({ done: 0, failed: 2, skipped: 0, left: 1 })
    expect(countOutcomes(outcomes, true)).toEqual({ done: 0, failed: 1, skipped: 0, left: 2 })
  })
})

describe('the table of a batch', () => {
  const format = (outcomes: readonly BatchOutcome[]) =>
    formatBatch(outcomes, countOutcomes(outcomes, false)).split('\n')

  test('tells of each file, and of all', () => {
    const silent = { ...DONE_KICK, file: 'tom.wav', loudness: { before: null, after: null } }
    expect(format([DONE_KICK, FAILED_SNARE, silent, { ...KICK, file: 'hat.wav', state: 'skipped' }])).toEqual([
      'file       state            took  chunks  by peers            loudness  message',
      'kick.wav   done            2.0 s       4      75 %  -23.0 → -16.0 LUFS',
      'snare.wav  failed                                                       no data chunk (WAV_MALFORMED)',
      'tom.wav    done            2.0 s       4      75 %        −∞ → −∞ LUFS',
      'hat.wav    skipped (done)',
      '',
      '2 done, 1 failed, 1 skipped of 4 files'
    ])
  })

  test('leaves out columns that say nothing', () => {
    expect(format([{ ...KICK, state: 'skipped' }])[0]).toBe('file      state')
  })

  test('shows all failures first when there are too many files', () => {
    const fine = Array.from({ length: BATCH_ROWS_MAX + 10 }, () => DONE_KICK)
    const lines = format([...fine, FAILED_SNARE])
    expect(lines[1]).toContain('snare.wav')
    expect(lines.slice(-3)).toEqual([
      '… and 11 files more (11 done)',
      '',
      `${BATCH_ROWS_MAX + 10} done, 1 failed, 0 skipped of 511 files`
    ])
  })

  test('cannot be faked by a file name', () => {
    expect(format([{ ...KICK, file: 'a\nb\u001b[2J', state: 'skipped' }])[1]).toBe('a·b·[2J  skipped (done)')
  })
})

function batch(mode: 'live' | 'lines' | 'json') {
  const terminal = new RecordingTerminal()
  terminal.live = mode === 'live'
  const progress = new BatchProgress(terminal, mode === 'json')
  progress.begin(2)
  progress.beginJobs(4_000)
  return { terminal, progress }
}

describe('the progress of a batch', () => {
  test('in a log is a line for each file, and one now and then for those that run', () => {
    const { progress, terminal } = batch('lines')
    progress.show(KICK, ACCEPTED)
    progress.show(KICK, PROGRESS)
    expect(terminal.errLines).toEqual([])
    progress.show(KICK, { event: 'notice', jobId: JOB, message: 'odd chunk' })
    terminal.clockMs = RUNNING_LINE_INTERVAL_MS
    progress.show(KICK, PROGRESS)
    progress.show(KICK, PROGRESS)
    progress.settle(DONE_KICK)
    progress.settle(FAILED_SNARE)
    progress.finish([DONE_KICK, FAILED_SNARE], { done: 1, failed: 1, skipped: 0, left: 0 })
    expect(terminal.errLines).toEqual([
      'kick.wav: odd chunk',
      'running kick.wav 25 %; 0 done, 0 failed, 0 skipped of 2, 2 min 30 s left',
      'done 1/2 kick.wav 2.0 s',
      'failed 2/2 snare.wav: no data chunk (WAV_MALFORMED)'
    ])
    expect(terminal.outLines.join('\n')).toContain('1 done, 1 failed')
  })

  test('in a log tells every failure, however many lines it leaves out', () => {
    const { progress, terminal } = batch('lines')
    for (let index = 0; index < 100; index++) progress.settle({ ...KICK, state: 'skipped' })
    for (let index = 0; index < 30; index++) progress.settle(FAILED_SNARE)
    progress.close()
    expect(terminal.errLines.filter((line) => line.startsWith('failed'))).toHaveLength(30)
    expect(terminal.errLines.filter((line) => line.startsWith('skipped (done)'))).toHaveLength(20)
    expect(terminal.errLines.at(-1)).toBe('(80 more lines left out)')
  })

  test('on a screen is a block with a line for each running job and one for all', () => {
    const { progress, terminal } = batch('live')
    terminal.columns = 120
    terminal.clockMs = 1_000
    progress.show(KICK, PROGRESS)
    terminal.clockMs = 2_000
    progress.show(SNARE, ACCEPTED)
    const block = terminal.raw.slice(terminal.raw.lastIndexOf('\u001b[J') + 3).split('\n')
    expect(block).toEqual([
      `  kick.wav${' '.repeat(26)}████░░░░░░░░░░░░  25 %  4.00 MB/s  1.5 s left`,
      `  snare.wav${' '.repeat(25)}░░░░░░░░░░░░░░░░`,
      '0 done, 0 failed, 0 skipped of 2, 30.0 s left',
      ''
    ])
    progress.settle(FAILED_SNARE)
    expect(terminal.errLines).toEqual(['failed 1/2 snare.wav: no data chunk (WAV_MALFORMED)'])
    const redrawn = terminal.raw.slice(terminal.raw.lastIndexOf('\u001b[J') + 3).split('\n')
    expect(redrawn[0]).toContain('kick.wav')
    expect(redrawn.slice(1)).toEqual(['0 done, 1 failed, 0 skipped of 2, 462 ms left', ''])
    progress.finish([], { done: 0, failed: 0, skipped: 0, left: 0 })
    expect(terminal.raw.endsWith('\u001b[J')).toBe(true)
  })

  test('says nothing of the time left before something is done', () => {
    const { progress, terminal } = batch('live')
    terminal.clockMs = 500
    progress.show(KICK, ACCEPTED)
    expect(terminal.raw).toContain('0 done, 0 failed, 0 skipped of 2\n')
  })

  test('in JSON is the events of jobs with their file, and the outcome of all', () => {
    const { progress, terminal } = batch('json')
    progress.show(KICK, ACCEPTED)
    progress.show(KICK, STOPPED)
    progress.settle(outcomeOf(KICK, { event: 'stopped', jobId: JOB, message: 'x' }))
    progress.settle(FAILED_SNARE)
    progress.settle({ ...KICK, state: 'skipped' })
    progress.finish([FAILED_SNARE], { done: 0, failed: 1, skipped: 0, left: 1 })
    expect(terminal.outLines.map((line) => JSON.parse(line))).toEqual([
      { ...ACCEPTED, file: 'kick.wav' },
      { ...STOPPED, file: 'kick.wav' },
      { event: 'failed', code: 'WAV_MALFORMED', message: 'no data chunk', file: 'snare.wav', folder: '/out/snare' },
      { event: 'skipped', file: 'kick.wav', folder: '/out/kick', reason: 'done' },
      { event: 'batch', files: [FAILED_SNARE], done: 0, failed: 1, skipped: 0, left: 1 }
    ])
    expect(terminal.errLines).toEqual([])
  })
})
