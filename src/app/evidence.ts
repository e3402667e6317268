import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Evidence } from '../submitter/ports.ts'

/** Refused results kept; the oldest go first. */
export const EVIDENCE_MAX = 32

/**
 * Keeps a refused result with the claim that its worker signed: the two together prove the lie to anyone who has the
 * input. @returns path of the description, which names the other two files
 */
export async function keepEvidence(folder: string, evidence: Evidence, wallMs: number): Promise<string> {
  const { jobId, chunkIndex, peerId, reason, claim, result } = evidence
  const name = `${wallMs}-${jobId}-${chunkIndex}`
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await makeRoom(folder)
  const files = { claim: `${name}.claim`, result: `${name}.result` }
  await writeFile(join(folder, files.claim), claim, { mode: 0o600 })
  await writeFile(join(folder, files.result), result, { mode: 0o600 })
  const path = join(folder, `${name}.json`)
  const described = { jobId, chunkIndex, peerId, reason, keptAt: new Date(wallMs).toISOString(), ...files }
  await writeFile(path, `${JSON.stringify(described, null, 2)}\n`, { mode: 0o600 })
  return path
}

/** Names begin with the time, so the first in order are the oldest. */
async function makeRoom(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort(byTime)
  for (const name of names.slice(0, Math.max(0, names.length - EVIDENCE_MAX + 1))) {
    const base = name.slice(0, -'.json'.length)
    for (const suffix of ['.json', '.claim', '.result']) await rm(join(folder, base + suffix), { force: true })
  }
}

function byTime(a: string, b: string): number {
  return Number.parseInt(a, 10) - Number.parseInt(b, 10)
}
