import { describe, expect, test } from 'vitest'
import { JobProgress, PROGRESS_LINE_INTERVAL_MS } from '../../src/cli/job-progress.ts'
import { formatOutputs, formatProgressBlock, formatProgressLine, PEER_LINES_MAX } from '../../src/cli/job-text.ts'
import { REDRAW_INTERVAL_MS } from '../../src/cli/live-block.ts'
import { displayWidth } from '../../src/cli/table.ts'
import { peerName } from '../../src/domain/ids.ts'
import { ACCEPTED, COUNTERS, DONE, JOB, PEER, PROGRESS, STOPPED } from '../api/fake-app.ts'
import { RecordingTerminal } from './recording-terminal.ts'

describe('in a log', () => {
  test('progress comes at most once a second, on stderr', () => {
    const terminal = new RecordingTerminal()
    const progress = new JobProgress(terminal, false)
    progress.show(ACCEPTED)
    for (let nowMs = 0; nowMs < 3 * PROGRESS_LINE_INTERVAL_MS; nowMs += 10) {
      terminal.clockMs = nowMs
      progress.show(PROGRESS)
    }
    expect(terminal.errLines).toHaveLength(1 + 3)
    expect(terminal.errLines[1]).toBe(
      '25 %, 2.00 MB of 8.00 MB, 4.00 MB/s, 4 chunks (1 here), 1 peer, efficiency 75 %, 1.5 s left'
    )
    expect(terminal.outLines).toEqual([])
    expect(terminal.raw).toBe('')
  })

  test('the result comes on stdout: files, shares, summary, how to decrypt', () => {
    const terminal = new RecordingTerminal()
    new JobProgress(terminal, false).show(DONE)
    const text = terminal.outLines.join('\n')
    expect(text).toContain('/out/result.f32.enc')
    expect(text).toContain('swarm decrypt /out/result.f32.enc')
    expect(text).toMatch(/tower +…89tower1 +3 +75 % +900 ms +6\.00 MB +6\.00 MB/)
    expect(text).toContain('75 %')
    expect(text).toContain('kept 1 chunk, shipped 3')
  })

  test('a flood of returned chunks stays readable', () => {
    const terminal = new RecordingTerminal()
    const progress = new JobProgress(terminal, false)
    for (let chunkIndex = 0; chunkIndex < 500; chunkIndex++) {
      progress.show({ event: 'released', jobId: JOB, chunkIndex, peerId: peerName(PEER), reason: 'gone', afterMs: 14 })
    }
    progress.show(STOPPED)
    expect(terminal.errLines.length).toBeLessThan(30)
    expect(terminal.errLines.at(-1)).toContain('stopped: ')
  })
})

describe('on a screen', () => {
  test('redraws in place at a bounded rate and leaves nothing behind', () => {
    const terminal = new RecordingTerminal()
    terminal.live = true
    const progress = new JobProgress(terminal, false)
    progress.show(ACCEPTED)
    for (let nowMs = 0; nowMs < 10 * REDRAW_INTERVAL_MS; nowMs += 1) {
      terminal.clockMs = nowMs + REDRAW_INTERVAL_MS
      progress.show(PROGRESS)
    }
    const draws = terminal.raw.split('█░').length - 1
    expect(draws).toBeLessThanOrEqual(10)
    expect(draws).toBeGreaterThan(5)
    terminal.raw = ''
    progress.show(DONE)
    expect(terminal.raw.startsWith('\u001b[3A\r\u001b[J')).toBe(true)
    expect(terminal.raw).not.toContain('░')
  })

  test('never exceeds the width, and the busiest peers come first', () => {
    const terminal = new RecordingTerminal()
    terminal.live = true
    terminal.columns = 40
    const progress = new JobProgress(terminal, false)
    progress.show({ ...PROGRESS, counters: { ...COUNTERS } })
    for (const line of terminal.raw.split('\n')) expect(displayWidth(line)).toBeLessThan(40)

    const peers = Array.from({ length: 20 }, (_, index) => ({
      peerId: peerName(`peer-${index}`),
      name: `n${index}`,
      chunks: index,
      units: index,
      computeMs: 0,
      bytesIn: 0,
      bytesOut: 0
    }))
    const block = formatProgressBlock('invert', { ...PROGRESS, counters: { ...COUNTERS, peers } })
    expect(block).toHaveLength(2 + PEER_LINES_MAX + 1)
    expect(block[2]).toContain('n19')
    expect(block.at(-1)).toBe('  … and 12 more')
  })
})

describe('as JSON', () => {
  test('every event is one line on stdout', () => {
    const terminal = new RecordingTerminal()
    const progress = new JobProgress(terminal, true)
    for (const event of [ACCEPTED, PROGRESS, DONE]) progress.show(event)
    progress.close()
    expect(terminal.outLines.map((line) => JSON.parse(line))).toEqual([ACCEPTED, PROGRESS, DONE])
    expect(terminal.errLines).toEqual([])
  })
})

describe('texts', () => {
  test('names of peers cannot fake lines', () => {
    const evil = { ...COUNTERS, peers: COUNTERS.peers.map((peer) => ({ ...peer, name: 'x\ny\u001b[A' })) }
    for (const line of formatProgressBlock('invert', { ...PROGRESS, counters: evil })) {
      expect(line).not.toContain('\n')
      expect(line).not.toContain('\u001b')
    }
  })

  test('a job of nothing is no division by zero', () => {
    expect(formatProgressLine({ ...PROGRESS, inputBytes: 0, mergedBytes: 0 })).toMatch(/^0 %/)
  })

  test('paths are quoted for the shell', () => {
    const outputs = { ...DONE.outputs, result: "/it's here/r.enc" }
    expect(formatOutputs(outputs).at(-1)).toBe("decrypt   swarm decrypt '/it'\\''s here/r.enc'")
  })
})
