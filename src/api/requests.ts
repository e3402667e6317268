import { isAbsolute } from 'node:path'
import { type JobId, parseJobId } from '../domain/ids.ts'
import type { AudioRequest } from '../domain/job.ts'
import { malformed } from './api-error.ts'
import type { ExportRequest, LedgerFilter, SubmitRequest } from './views.ts'

/** Most peers that one request asks to dial. */
export const REQUEST_PEERS_MAX = 64

const SILENCE_FIELDS = ['threshold', 'hysteresis', 'leastSilence', 'leastSound']
const SUBMIT_FIELDS = [
  'inputPath',
  'task',
  'rightPath',
  'exact',
  'audio',
  'outDir',
  'outRoot',
  'reverse',
  'encrypt',
  'keyFile',
  'local',
  'chunkBytes',
  'minPeers',
  'waitMs',
  'detach',
  'peers'
]

/** Takes an untrusted body. @throws SwarmError REQUEST_MALFORMED */
export function parseSubmitRequest(body: unknown): SubmitRequest {
  const fields = parseFields(body, SUBMIT_FIELDS)
  const { local } = fields
  if (local !== 'auto' && local !== 'never' && local !== 'only') {
    throw malformed(`local is ${JSON.stringify(local)}, expected auto, never or only`)
  }
  const { peers } = fields
  if (!Array.isArray(peers) || peers.length > REQUEST_PEERS_MAX || !peers.every((peer) => typeof peer === 'string')) {
    throw malformed(`peers is no list of at most ${REQUEST_PEERS_MAX} addresses`)
  }
  return {
    inputPath: parsePath(fields, 'inputPath'),
    task: parseText(fields, 'task'),
    outRoot: parsePath(fields, 'outRoot'),
    ...(fields.rightPath === undefined ? {} : { rightPath: parsePath(fields, 'rightPath') }),
    ...(fields.exact === undefined ? {} : { exact: parseBoolean(fields, 'exact') }),
    ...(fields.audio === undefined ? {} : { audio: parseAudioRequest(fields.audio) }),
    ...(fields.outDir === undefined ? {} : { outDir: parsePath(fields, 'outDir') }),
    ...(fields.keyFile === undefined ? {} : { keyFile: parsePath(fields, 'keyFile') }),
    ...(fields.reverse === undefined ? {} : { reverse: parseBoolean(fields, 'reverse') }),
    ...(fields.encrypt === undefined ? {} : { encrypt: parseBoolean(fields, 'encrypt') }),
    ...(fields.chunkBytes === undefined ? {} : { chunkBytes: parseWhole(fields, 'chunkBytes', 1) }),
    local,
    minPeers: parseWhole(fields, 'minPeers', 0),
    waitMs: parseWhole(fields, 'waitMs', 0),
    detach: parseBoolean(fields, 'detach'),
    peers
  }
}

function parseAudioRequest(value: unknown): AudioRequest {
  const fields = parseFields(value, ['folder', 'effects', 'format', 'salvage', 'vad', 'silence'])
  return {
    folder: parsePath(fields, 'folder'),
    // Blank text is the chain without effects.
    ...(fields.effects === undefined ? {} : { effects: fields.effects === '' ? '' : parseText(fields, 'effects') }),
    ...(fields.format === undefined ? {} : { format: parseText(fields, 'format') }),
    ...(fields.salvage === undefined ? {} : { salvage: parseBoolean(fields, 'salvage') }),
    ...(fields.vad === undefined ? {} : { vad: parseBoolean(fields, 'vad') }),
    ...(fields.silence === undefined ? {} : { silence: parseSettings(fields.silence) })
  }
}

function parseSettings(value: unknown): Readonly<Record<string, string>> {
  const fields = parseFields(value, SILENCE_FIELDS)
  return Object.fromEntries(Object.keys(fields).map((name) => [name, parseText(fields, name)]))
}

/** Takes an untrusted body. @throws SwarmError REQUEST_MALFORMED */
export function parseExportRequest(body: unknown): ExportRequest {
  const fields = parseFields(body, ['path', 'job', 'peer'])
  return { path: parsePath(fields, 'path'), ...parseLedgerFilter(fields) }
}

/** Takes untrusted fields of a query or a body. @throws SwarmError REQUEST_MALFORMED */
export function parseLedgerFilter(fields: Readonly<Record<string, unknown>>): LedgerFilter {
  return {
    ...(fields.job === undefined ? {} : { job: parseText(fields, 'job') }),
    ...(fields.peer === undefined ? {} : { peer: parseText(fields, 'peer') })
  }
}

/** Takes a part of a request's path. @throws SwarmError REQUEST_MALFORMED */
export function parseRequestJobId(text: string): JobId {
  const jobId = parseJobId(text)
  if (jobId === undefined) throw malformed(`"${text.slice(0, 64)}" is no job id: expected 26 characters of a-z and 2-7`)
  return jobId
}

function parseFields(body: unknown, names: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw malformed('the body is no object')
  const unknown = Object.keys(body).find((name) => !names.includes(name))
  if (unknown !== undefined) throw malformed(`unknown field ${JSON.stringify(unknown.slice(0, 64))}`)
  return body as Record<string, unknown>
}

function parseText(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name]
  if (typeof value !== 'string' || value === '' || value.includes('\0')) throw malformed(`${name} is no text`)
  return value
}

function parsePath(fields: Readonly<Record<string, unknown>>, name: string): string {
  const path = parseText(fields, name)
  if (!isAbsolute(path)) throw malformed(`${name} is no absolute path`)
  return path
}

function parseBoolean(fields: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = fields[name]
  if (typeof value !== 'boolean') throw malformed(`${name} is neither true nor false`)
  return value
}

function parseWhole(fields: Readonly<Record<string, unknown>>, name: string, min: number): number {
  const value = fields[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min) {
    throw malformed(`${name} is no whole number from ${min}`)
  }
  return value
}
