import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { EVIDENCE_MAX, keepEvidence } from '../../src/app/evidence.ts'
import { parseJobId } from '../../src/domain/ids.ts'

const folders: string[] = []
const jobId = parseJobId('abcdefghijklmnopqrstuvwxyz')

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function make(): string {
  const folder = mkdtempSync(join(tmpdir(), 'swarm-evidence-'))
  folders.push(folder)
  return join(folder, 'evidence')
}

function evidence(chunkIndex: number) {
  if (jobId === undefined) throw new Error('no job id')
  const kept = { claim: Uint8Array.of(1, 2), result: Uint8Array.of(3, 4, 5) }
  return { jobId, chunkIndex, peerId: 'eve', reason: 'sample 1 is wrong', ...kept }
}

describe('evidence', () => {
  test('is the claim and the result with a description that names them, for the owner alone', async () => {
    const folder = make()
    const path = await keepEvidence(folder, evidence(7), 1_700_000_000_000)
    const described = JSON.parse(readFileSync(path, 'utf8'))
    expect(described).toMatchObject({ jobId, chunkIndex: 7, peerId: 'eve', reason: 'sample 1 is wrong' })
    expect([...readFileSync(join(folder, described.claim))]).toEqual([1, 2])
    expect([...readFileSync(join(folder, described.result))]).toEqual([3, 4, 5])
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o077).toBe(0)
  })

  test('is kept of the last few lies only, oldest first to go', async () => {
    const folder = make()
    for (let index = 0; index < EVIDENCE_MAX + 3; index++) await keepEvidence(folder, evidence(index), 1_000 + index)
    const names = readdirSync(folder)
    expect(names).toHaveLength(3 * EVIDENCE_MAX)
    expect(names.filter((name) => /^100[012]-/.test(name))).toEqual([])
  })
})
