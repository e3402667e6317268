import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { LedgerReport } from '../../src/app/api-types.ts'
import { readJoinCode, STDIN_CHARS_MAX } from '../../src/commands/base/read-join-code.ts'
import { Decrypt } from '../../src/commands/decrypt.ts'
import { Generate } from '../../src/commands/generate.ts'
import { Invite } from '../../src/commands/invite.ts'
import { JobsCancel } from '../../src/commands/jobs/cancel.ts'
import { JobsResume } from '../../src/commands/jobs/resume.ts'
import { JobsShow } from '../../src/commands/jobs/show.ts'
import { JobsWatch } from '../../src/commands/jobs/watch.ts'
import { Jobs } from '../../src/commands/jobs.ts'
import { Join } from '../../src/commands/join.ts'
import { LedgerExport } from '../../src/commands/ledger/export.ts'
import { LedgerVerify } from '../../src/commands/ledger/verify.ts'
import { Ledger } from '../../src/commands/ledger.ts'
import { Peers } from '../../src/commands/peers.ts'
import { Status } from '../../src/commands/status.ts'
import { Submit } from '../../src/commands/submit.ts'
import { SwarmError } from '../../src/errors.ts'
import { ACCEPTED, DONE, FakeApp, JOB, LEDGER, PEER, PROGRESS, READY, STATUS, STOPPED } from '../api/fake-app.ts'
import { runCommand, startCommand } from './run-command.ts'

function jsonLines(lines: readonly string[]): unknown[] {
  return lines.map((line) => JSON.parse(line))
}

describe('submit', () => {
  test('turns flags into one request with absolute paths', async () => {
    const { app, asked, terminal } = await runCommand(Submit, [
      'in.f32',
      '--out',
      'there',
      '--chunk-size',
      '4MiB',
      '--local',
      'never',
      '--min-peers',
      '2',
      '--wait',
      '5s',
      '--no-reverse',
      '--encrypt',
      '--key-file',
      'k.bin',
      '--peer',
      '/ip4/1.2.3.4/tcp/1',
      '--no-mdns',
      '--home',
      '/h'
    ])
    expect(app.calls).toEqual([
      [
        'submit',
        {
          inputPath: resolve('in.f32'),
          task: 'invert',
          outRoot: resolve('swarm-out'),
          outDir: resolve('there'),
          chunkBytes: 4_194_304,
          reverse: false,
          encrypt: true,
          keyFile: resolve('k.bin'),
          local: 'never',
          minPeers: 2,
          waitMs: 5_000,
          detach: false,
          peers: ['/ip4/1.2.3.4/tcp/1']
        }
      ]
    ])
    expect(asked).toEqual([
      ['connectOrOpen', { home: '/h', role: 'one-off', listen: [], peers: ['/ip4/1.2.3.4/tcp/1'], mdns: false }]
    ])
    expect(terminal.exitCode).toBeUndefined()
    expect(app.stops).toBe(1)
  })

  test('leaves reverse and encrypt to the task unless told', async () => {
    const { app } = await runCommand(Submit, ['in.f32'])
    expect(app.calls[0]?.[1]).not.toHaveProperty('reverse')
    expect(app.calls[0]?.[1]).not.toHaveProperty('encrypt')
    expect(app.calls[0]?.[1]).toMatchObject({ local: 'auto', minPeers: 0 })
  })

  test('waits for one peer when only told how long', async () => {
    const { app } = await runCommand(Submit, ['in.f32', '--wait', '10'])
    expect(app.calls[0]?.[1]).toMatchObject({ minPeers: 1, waitMs: 10_000 })
  })

  test('ends with the done event as JSON', async () => {
    const { terminal } = await runCommand(Submit, ['in.f32', '--json'])
    expect(jsonLines(terminal.outLines)).toEqual([ACCEPTED, PROGRESS, DONE])
  })

  test.each([
    ['JOB_FAILED', 1],
    ['NO_PEERS', 69],
    ['DISK_FULL', 75]
  ])('a failure with %s gives exit code %i', async (code, exitCode) => {
    const app = new FakeApp()
    app.script = [ACCEPTED, { event: 'failed', jobId: JOB, code, message: 'chunk 3 failed' }]
    const { terminal } = await runCommand(Submit, ['in.f32'], { app })
    expect(terminal.exitCode).toBe(exitCode)
    expect(terminal.errLines.join('\n')).toContain(`chunk 3 failed (${code})`)
  })

  test('a refusal keeps its exit code and stops the app', async () => {
    const app = new FakeApp()
    app.refusal = new SwarmError('INPUT_EMPTY', 'in.f32 is empty', { exitCode: 2 })
    const { terminal } = await runCommand(Submit, ['in.f32', '--json'], { app })
    expect(jsonLines(terminal.outLines)).toEqual([{ event: 'error', code: 'INPUT_EMPTY', message: 'in.f32 is empty' }])
    expect(terminal.exitCode).toBe(2)
    expect(app.stops).toBe(1)
  })

  test('Ctrl-C stops the job, says how to resume, and exits 130', async () => {
    const app = new FakeApp()
    app.waits = true
    app.script = [ACCEPTED]
    const { terminal, ended } = await startCommand(Submit, ['in.f32'], { app })
    await app.waiting.promise
    process.emit('SIGINT', 'SIGINT')
    await ended
    expect(terminal.errLines.at(-1)).toBe('stopped: stopped on request')
    expect(terminal.exitCode).toBe(130)
    expect(app.stops).toBe(1)
  })

  test('a job that the other process stopped can be tried again', async () => {
    const app = new FakeApp()
    app.script = [ACCEPTED, STOPPED]
    const { terminal } = await runCommand(Submit, ['in.f32'], { app })
    expect(terminal.exitCode).toBe(75)
  })

  test('events that end without a last one are an error', async () => {
    const app = new FakeApp()
    app.script = [ACCEPTED]
    const { terminal } = await runCommand(Submit, ['in.f32', '--json'], { app })
    expect(jsonLines(terminal.outLines).at(-1)).toMatchObject({ event: 'error', code: 'PROCESS_GONE' })
    expect(terminal.exitCode).toBe(75)
  })

  test('--plan asks and moves nothing', async () => {
    const { app, terminal } = await runCommand(Submit, ['in.f32', '--plan'])
    expect(app.calls.map(([method]) => method)).toEqual(['plan'])
    expect(terminal.outLines.join('\n')).toContain('shipping costs more than computing')
  })

  test('--detach hands the job to the joined process and returns once it is accepted', async () => {
    const { app, asked, terminal } = await runCommand(Submit, ['in.f32', '--detach', '--json'])
    expect(asked).toEqual([['connect', {}]])
    expect(app.calls[0]?.[1]).toMatchObject({ detach: true })
    expect(jsonLines(terminal.outLines)).toEqual([ACCEPTED])
  })

  test.each([
    [['in.f32', '--local', 'maybe']],
    [['in.f32', '--chunk-size', 'big']],
    [['in.f32', '--wait', 'long']],
    [['in.f32', '--nonsense']],
    [['in.f32', '--min-peers', '-1']],
    [[]]
  ])('refuses %j as wrong usage', async (argv) => {
    const { app, terminal } = await runCommand(Submit, argv)
    expect(terminal.exitCode).toBe(2)
    expect(terminal.errLines[0]).toMatch(/^error: /)
    expect(app.calls).toEqual([])
  })
})

describe('join', () => {
  test('prints ready first as JSON, takes the code, and exits 130 on Ctrl-C', async () => {
    const app = new FakeApp()
    app.waits = true
    app.peerEvents = [READY, { event: 'peer-connected', peerId: PEER, name: 'tower' }]
    const { asked, terminal, ended } = await startCommand(
      Join,
      ['swarm1abc', '--json', '--name', 'n', '--threads', '1', '--listen', '/ip4/127.0.0.1/tcp/0'],
      { app }
    )
    await app.waiting.promise
    process.emit('SIGTERM', 'SIGTERM')
    await ended
    expect(jsonLines(terminal.outLines)).toEqual(app.peerEvents)
    expect(asked[0]?.[1]).toEqual({
      role: 'joined',
      code: 'swarm1abc',
      name: 'n',
      listen: ['/ip4/127.0.0.1/tcp/0'],
      peers: [],
      threads: 1,
      mdns: true
    })
    expect(terminal.exitCode).toBe(130)
    expect(app.stops).toBe(1)
  })

  test('prints code and addresses for people on stdout, events on stderr', async () => {
    const app = new FakeApp()
    app.peerEvents = [READY, { event: 'peer-connected', peerId: PEER, name: 'to\u001bwer' }]
    const { terminal } = await runCommand(Join, [], { app })
    expect(terminal.outLines.join('\n')).toContain(READY.code)
    expect(terminal.outLines.join('\n')).toContain(READY.addresses[0])
    expect(terminal.errLines[0]).toContain('peer to·wer …89tower1 is here')
  })

  test('a peer that stops by itself is no success', async () => {
    const { terminal } = await runCommand(Join, [])
    expect(terminal.exitCode).toBe(75)
  })

  test('takes the code from the argument, from stdin, else from SWARM_CODE', async () => {
    const waiting = { signal: new AbortController().signal }
    const empty = () => Readable.from([])
    expect(await readJoinCode('swarm1a', 'swarm1b', empty(), waiting)).toBe('swarm1a')
    expect(await readJoinCode(undefined, 'swarm1b', empty(), waiting)).toBe('swarm1b')
    expect(await readJoinCode('-', 'swarm1b', Readable.from(['swarm', '1c\n']), waiting)).toBe('swarm1c')
    expect(await readJoinCode(undefined, '', empty(), waiting)).toBeUndefined()
    const missing = { code: 'JOIN_CODE_MISSING', exitCode: 2 }
    await expect(readJoinCode('-', undefined, empty(), waiting)).rejects.toMatchObject(missing)
    const endless = Readable.from(['x'.repeat(STDIN_CHARS_MAX + 1)])
    await expect(readJoinCode('-', undefined, endless, waiting)).rejects.toMatchObject(missing)
  })
})

describe('commands that read', () => {
  test.each([
    [Status, [], '12D3KooW', STATUS],
    [Invite, [], READY.code, { code: READY.code }],
    [Peers, [], 'tower', { peers: [{ name: 'tower' }] }],
    [Jobs, [], 'interrupted', { jobs: [{ jobId: JOB }] }],
    [JobsShow, [JOB], `swarm jobs resume ${JOB}`, { jobId: JOB }],
    [Ledger, [], 'gold', LEDGER]
  ] as const)('%o prints text, or one JSON line, and stops what it opened', async (Command, argv, text, view) => {
    const plain = await runCommand(Command, argv)
    expect(plain.terminal.outLines.join('\n')).toContain(text)
    expect(plain.asked.map(([method]) => method)).toEqual(['connectOrRead'])
    expect(plain.app.stops).toBe(1)
    const json = await runCommand(Command, [...argv, '--json'])
    expect(json.terminal.outLines).toHaveLength(1)
    expect(JSON.parse(json.terminal.outLines[0] ?? '')).toMatchObject(view)
  })

  test('the ledger passes its filter on', async () => {
    const { app } = await runCommand(Ledger, ['--job', JOB, '--peer', 'tower'])
    expect(app.calls).toEqual([['ledger', { job: JOB, peer: 'tower' }]])
  })

  test('the ledger exports to an absolute path', async () => {
    const { app } = await runCommand(LedgerExport, ['l.bin', '--job', JOB])
    expect(app.calls).toEqual([['exportLedger', { path: resolve('l.bin'), job: JOB }]])
  })
})

describe('jobs', () => {
  test.each([JobsShow, JobsWatch, JobsCancel, JobsResume])('%o refuses what is no job id', async (Command) => {
    const { terminal, asked } = await runCommand(Command, ['nonsense', '--json'])
    expect(jsonLines(terminal.outLines)).toMatchObject([{ event: 'error', code: 'JOB_ID_MALFORMED' }])
    expect(terminal.exitCode).toBe(2)
    expect(asked).toEqual([])
  })

  test('resume shows the job to its end', async () => {
    const { app, terminal } = await runCommand(JobsResume, [JOB, '--json'])
    expect(app.calls).toEqual([['resume', JOB]])
    expect(jsonLines(terminal.outLines).at(-1)).toEqual(DONE)
  })

  test('watch needs the running process, and leaves the job alone', async () => {
    const { app, asked } = await runCommand(JobsWatch, [JOB])
    expect(asked).toEqual([['connect', {}]])
    expect(app.calls).toEqual([['watch', JOB]])
  })

  test('cancel ends the job', async () => {
    const { app, terminal } = await runCommand(JobsCancel, [JOB])
    expect(app.calls).toEqual([['cancel', JOB]])
    expect(terminal.outLines).toEqual([`cancelled job ${JOB}`])
  })

  test('a reader that goes away ends watching without an error', async () => {
    const app = new FakeApp()
    app.waits = true
    app.script = [PROGRESS]
    const { terminal, ended } = await startCommand(JobsWatch, [JOB], { app })
    await app.waiting.promise
    terminal.readerGone()
    await ended
    expect(terminal.exits).toEqual([])
    expect(terminal.exitCode).toBeUndefined()
  })
})

describe('ledger verify', () => {
  const report: LedgerReport = {
    valid: true,
    source: '/l.bin',
    receipts: 3,
    chunks: 3,
    duplicates: 0,
    entries: 0,
    roots: 0,
    inputsChecked: 0,
    problems: [],
    rows: LEDGER.rows
  }

  test('passes file and input on', async () => {
    const requests: unknown[] = []
    const source = {
      verifyLedger: async (request: unknown) => {
        requests.push(request)
        return report
      }
    }
    const { terminal } = await runCommand(LedgerVerify, ['l.bin', '--input', 'in.f32'], { source })
    expect(requests).toEqual([{ file: resolve('l.bin'), inputPath: resolve('in.f32') }])
    expect(terminal.outLines.join('\n')).toContain('valid: /l.bin')
    expect(terminal.exitCode).toBeUndefined()
  })

  test('exits 3 when anything is wrong, and says what', async () => {
    const problems = [{ code: 'SIGNATURE_INVALID', where: 'receipt 2', message: 'the signature is not right' }]
    const source = { verifyLedger: async () => ({ ...report, valid: false, problems }) }
    const { terminal } = await runCommand(LedgerVerify, [], { source })
    expect(terminal.outLines.join('\n')).toContain(
      'problem at receipt 2: the signature is not right (SIGNATURE_INVALID)'
    )
    expect(terminal.exitCode).toBe(3)
  })
})

describe('decrypt and generate', () => {
  test('decrypt passes absolute paths on', async () => {
    const requests: unknown[] = []
    const source = {
      decrypt: async (request: unknown) => {
        requests.push(request)
        return { path: '/r.f32', byteLength: 8, authenticated: true } as const
      }
    }
    const { terminal } = await runCommand(Decrypt, ['out', '--out', 'r.f32'], { source })
    expect(requests).toEqual([{ path: resolve('out'), outPath: resolve('r.f32'), force: false }])
    expect(terminal.outLines.join('\n')).toContain('/r.f32')
  })

  test('a changed file gives exit code 3', async () => {
    const source = {
      decrypt: async () => {
        throw new SwarmError('TAG_MISMATCH', 'the tag is not right', { exitCode: 3 })
      }
    }
    const { terminal } = await runCommand(Decrypt, ['out'], { source })
    expect(terminal.exitCode).toBe(3)
  })

  test('generate makes an hour of sound unless told otherwise, and whole samples only', async () => {
    const requests: unknown[] = []
    const source = {
      generate: async (request: { path: string; byteLength: number; seed: number }) => {
        requests.push(request)
        return { ...request, sha256: '00' }
      }
    }
    await runCommand(Generate, ['n.f32'], { source })
    await runCommand(Generate, ['n.f32', '--size', '64MiB', '--seed', '7', '--force'], { source })
    expect(requests).toEqual([
      { path: resolve('n.f32'), byteLength: 635_040_000, seed: 1, force: false },
      { path: resolve('n.f32'), byteLength: 67_108_864, seed: 7, force: true }
    ])
    const { terminal } = await runCommand(Generate, ['n.f32', '--size', '10'], { source })
    expect(terminal.exitCode).toBe(2)
  })
})

describe('every command', () => {
  test('shows no stack trace, unless SWARM_DEBUG asks for it', async () => {
    const source = {
      connectOrRead: async () => {
        throw new TypeError('x is not a function')
      }
    }
    const { terminal } = await runCommand(Status, [], { source })
    expect(terminal.errLines).toEqual(['error: x is not a function'])
    expect(terminal.exitCode).toBe(1)
  })

  test('ends at once on a second Ctrl-C', async () => {
    const app = new FakeApp()
    app.waits = true
    app.peerEvents = [READY]
    const stopping = Promise.withResolvers<void>()
    app.stop = () => stopping.promise
    const { terminal, ended } = await startCommand(Join, [], { app })
    await app.waiting.promise
    process.emit('SIGINT', 'SIGINT')
    terminal.clockMs = 1_000
    process.emit('SIGINT', 'SIGINT')
    expect(terminal.exits).toEqual([130])
    stopping.resolve()
    await ended
  })

  test('leaves no listeners behind', async () => {
    const before = process.listenerCount('SIGINT') + process.listenerCount('uncaughtException')
    await runCommand(Status, [])
    expect(process.listenerCount('SIGINT') + process.listenerCount('uncaughtException')).toBe(before)
  })
})
