import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JobDetail } from '../../src/app/api-types.ts'
import { findResumable, lookAtFolder } from '../../src/app/batch-folder.ts'
import { findKeptNames } from '../../src/app/batch-names.ts'
import { makeRecipe, type RecipeRequest } from '../../src/app/batch-recipe.ts'
import type { FileStamp } from '../../src/domain/job.ts'
import { FakeApp, JOB, JOB_DETAIL, OTHER_JOB } from '../api/fake-app.ts'

const { signal } = new AbortController()
const EFFECTS = 'highpass 80, normalize -16LUFS'
let folder: string
let out: string
let input: FileStamp

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'swarm-batch-'))
  out = join(folder, 'out', 'a')
  mkdirSync(out, { recursive: true })
  input = stamp('a.wav')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function stamp(name: string): FileStamp {
  const path = join(folder, name)
  writeFileSync(path, 'audio')
  const { mtimeMs, size } = statSync(path)
  return { path, byteLength: size, modifiedMs: mtimeMs }
}

function request(effects: string, more: Partial<RecipeRequest> = {}): RecipeRequest {
  return { task: 'wav', audio: { folder, effects }, ...more }
}

/** Leaves a job's outputs. */
function leave(effects: string, changes: object = {}, names: readonly string[] = ['result.wav', 'ledger.bin']): void {
  for (const name of names) writeFileSync(join(out, name), 'x')
  const manifest = {
    task: 'wav',
    input: { ...input, impulses: [] },
    request: { folder, effects },
    reversed: false,
    encrypted: false,
    outputs: { result: join(out, 'result.wav') },
    ...changes
  }
  writeFileSync(join(out, 'job.json'), JSON.stringify(manifest))
}

function look(effects = EFFECTS, more: Partial<RecipeRequest> = {}) {
  return lookAtFolder(out, input, makeRecipe(request(effects, more)))
}

describe('a folder of outputs', () => {
  test('is free when it is not there or empty', async () => {
    expect(await look()).toEqual({ state: 'free', unfinished: [] })
    rmSync(out, { recursive: true })
    expect(await look()).toEqual({ state: 'free', unfinished: [] })
  })

  test('is done when its result is of the same file, task and effects, however these are written', async () => {
    leave('highpass  80Hz,normalize -16LUFS')
    expect(await look()).toEqual({ state: 'done' })
  })

  test('is done wherever the folder was moved to', async () => {
    leave(EFFECTS, { outputs: { result: '/elsewhere/result.wav' } })
    expect(await look()).toEqual({ state: 'done' })
  })

  test('is free when the result was taken away', async () => {
    leave(EFFECTS, {}, [])
    expect(await look()).toEqual({ state: 'free', unfinished: [] })
  })

  test('names the jobs that were interrupted', async () => {
    for (const name of [`.result.wav.${JOB}.partial`, '.result.wav.partial', '.other'])
      writeFileSync(join(out, name), '')
    expect(await look()).toEqual({ state: 'free', unfinished: [JOB] })
  })

  test.each<[string, object, string]>([
    ['other effects', { request: { folder: '/', effects: 'gain -3' } }, 'made with "gain -3"'],
    ['no effects', { request: { folder: '/' } }, 'made without effects'],
    ['another task', { task: 'silence', request: undefined }, 'made by --task silence'],
    ['another format', { request: { folder: '/', effects: EFFECTS, format: 'pcm24' } }, 'made with --format pcm24'],
    ['encryption', { encrypted: true }, 'made with encryption'],
    ['another order', { reversed: true }, 'made with --reverse'],
    ['another file', { input: { path: '/b.wav', byteLength: 5, modifiedMs: 1 } }, 'made from /b.wav:'],
    ['effects of another version', { request: { effects: 'sparkle 3' } }, 'by another version of this program'],
    ['a file that it does not name', { input: { path: 3 } }, 'made by a job that is not known']
  ])('is refused when its result was made with %s', async (_, changes, words) => {
    leave(EFFECTS, changes)
    const refusal = { code: 'OUTPUT_EXISTS', exitCode: 2, message: expect.stringContaining(words) }
    await expect(look()).rejects.toMatchObject(refusal)
    await expect(look()).rejects.toThrow(/choose another --out/)
  })

  test.each([
    ['length', { byteLength: 6 }],
    ['time of change', { modifiedMs: 1 }]
  ])('is refused when its file had another %s', async (_, change) => {
    leave(EFFECTS, { input: { ...input, ...change } })
    await expect(look()).rejects.toThrow(`${input.path} before that was changed`)
  })

  test('is refused when its result has no manifest, or a broken one', async () => {
    writeFileSync(join(out, 'result.wav'), '')
    await expect(look()).rejects.toThrow('by a job that is not known')
    writeFileSync(join(out, 'job.json'), '{')
    await expect(look()).rejects.toThrow('by a job that is not known')
  })

  test('is refused when only a key is left of a sealed result', async () => {
    leave(EFFECTS, { encrypted: true }, ['encryption_key.bin'])
    await expect(look(EFFECTS, { encrypt: true })).rejects.toThrow('did not leave all of it')
  })

  test('is refused when an impulse response changed, or is another', async () => {
    const impulse = stamp('ir.wav')
    const chain = 'convolve ir.wav'
    leave(chain, { input: { ...input, impulses: [impulse] } })
    expect(await look(chain)).toEqual({ state: 'done' })
    await expect(look(chain, { audio: { folder: '/', effects: chain } })).rejects.toThrow(`with ${impulse.path}`)
    leave(chain, { input: { ...input, impulses: [{ ...impulse, byteLength: 1 }] } })
    await expect(look(chain)).rejects.toThrow(`${impulse.path} before that was changed`)
    rmSync(impulse.path)
    await expect(look(chain)).rejects.toThrow(`${impulse.path} before that was changed`)
  })

  test('of silence is compared by what its settings mean', async () => {
    const silence = { folder, silence: { threshold: '-45' } }
    leave('', { task: 'silence', request: silence })
    const same = { task: 'silence', audio: { folder, silence: { threshold: '-45dB', leastSilence: '2s' } } }
    expect(await look('', same)).toEqual({ state: 'done' })
    await expect(look('', { ...same, audio: { folder } })).rejects.toThrow('other settings of silence')
  })
})

describe('an interrupted job', () => {
  function job(changes: Partial<JobDetail>): JobDetail {
    const recipe = {
      request: { ...request(EFFECTS), inputPath: input.path, local: 'auto' as const, minPeers: 0, waitMs: 0 },
      inputs: [input]
    }
    return { ...JOB_DETAIL, state: 'stopped', running: false, recipe, ...changes }
  }

  function find(detail: JobDetail, unfinished = [JOB]) {
    const app = new FakeApp()
    app.job = async (id) => (id === JOB ? detail : new FakeApp().job(id))
    const search = { folder: out, input, local: 'auto' as const, unfinished, wanted: makeRecipe(request(EFFECTS)) }
    return findResumable(app, search, { signal })
  }

  test('is gone on with when it would give what is wanted, stopped or killed', async () => {
    expect(await find(job({}))).toEqual({ jobId: JOB, stale: [] })
    expect(await find(job({ state: 'open' }), [OTHER_JOB, JOB])).toEqual({ jobId: JOB, stale: [] })
  })

  test('is left when the home does not know it, or it has ended', async () => {
    expect(await find(job({}), [OTHER_JOB])).toEqual({ stale: [] })
    expect(await find(job({ state: 'cancelled' }))).toEqual({ stale: [] })
  })

  test('is left when its input changed, or its effects or where it runs are others', async () => {
    const { recipe } = job({})
    if (recipe === undefined) throw new Error('the job has no recipe')
    const changed = [{ ...input, byteLength: 1 }]
    expect(await find(job({ recipe: { ...recipe, inputs: changed } }))).toEqual({ stale: [JOB] })
    const other = { ...recipe.request, ...request('gain -3') }
    expect(await find(job({ recipe: { ...recipe, request: other } }))).toEqual({ stale: [JOB] })
    const elsewhere = { ...recipe.request, local: 'never' as const }
    expect(await find(job({ recipe: { ...recipe, request: elsewhere } }))).toEqual({ stale: [JOB] })
  })

  test('that runs keeps its folder', async () => {
    await expect(find(job({ state: 'open', running: true }))).rejects.toMatchObject({
      code: 'OUTPUT_EXISTS',
      message: expect.stringContaining(JOB)
    })
  })
})

describe('kept names', () => {
  test('are those of folders that hold a result of a file of the batch', async () => {
    leave(EFFECTS)
    const root = join(folder, 'out')
    expect(await findKeptNames(root, [input.path], { signal })).toEqual(new Map([[input.path, 'a']]))
    expect(await findKeptNames(root, ['/other.wav'], { signal })).toEqual(new Map())
    expect(await findKeptNames(join(folder, 'gone'), [input.path], { signal })).toEqual(new Map())
  })
})

describe('a recipe', () => {
  test.each<[string, RecipeRequest, string]>([
    ['effects for another task', { task: 'silence', audio: { folder: '/', effects: 'gain 1' } }, 'OPTION_UNSUITABLE'],
    ['thresholds for wav', { task: 'wav', audio: { folder: '/', silence: {} } }, 'OPTION_UNSUITABLE'],
    ['audio for bytes', { task: 'invert', audio: { folder: '/' } }, 'OPTION_UNSUITABLE'],
    ['an unknown effect', { task: 'wav', audio: { folder: '/', effects: 'sparkle' } }, 'CHAIN_INVALID']
  ])('is refused with %s', (_, given, code) => {
    expect(() => makeRecipe(given)).toThrow(expect.objectContaining({ code, exitCode: 2 }))
  })
})
