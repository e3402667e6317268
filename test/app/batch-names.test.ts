import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nameFolders } from '../../src/app/batch-names.ts'

const NONE: ReadonlyMap<string, string> = new Map()

describe('names of folders', () => {
  test('are the files without extension', () => {
    expect(nameFolders(['/in/kick.wav', '/in/snare.take.2.wav', '/in/readme'], NONE)).toEqual([
      'kick',
      'snare.take.2',
      'readme'
    ])
  })

  test('have the extension where files share a name, whatever their order', () => {
    expect(nameFolders(['/in/kick.flac', '/in/kick.wav', '/in/snare.wav'], NONE)).toEqual([
      'kick.flac',
      'kick.wav',
      'snare'
    ])
    expect(nameFolders(['/in/kick.wav', '/in/kick.flac'], NONE)).toEqual(['kick.wav', 'kick.flac'])
  })

  test('are numbered where files of several folders are called alike', () => {
    expect(nameFolders(['/a/kick.wav', '/b/kick.wav', '/c/KICK.wav'], NONE)).toEqual([
      'kick.wav',
      'kick.wav-2',
      'KICK.wav-3'
    ])
  })

  test('stay what they were when files come along or go', () => {
    const kept = new Map([
      ['/in/kick.wav', 'kick'],
      ['/z/tom.wav', 'tom.wav-2']
    ])
    expect(nameFolders(['/in/kick.flac', '/in/kick.wav', '/z/tom.wav'], kept)).toEqual([
      'kick.flac',
      'kick',
      'tom.wav-2'
    ])
  })

  test('never lead out of the folder of outputs', () => {
    expect(nameFolders(['/in/..wav', '/in/...wav', '/in/.wav'], NONE)).toEqual(['..wav', '...wav', '.wav'])
  })

  test('are fast to find for many files of one name', () => {
    const paths = Array.from({ length: 20_000 }, (_, index) => `/${index}/take.wav`)
    expect(new Set(nameFolders(paths, NONE)).size).toBe(paths.length)
  })

  test('differ for all files, also where case does not count', () => {
    const part = fc.constantFrom('a', 'A', 'b', 'a.wav', 'a.wav-2', '\u00e4', 'a\u0308')
    const path = fc
      .tuple(part, part, fc.constantFrom('', '.wav', '.WAV', '.flac'))
      .map(([folder, stem, end]) => `/${folder}/${stem}${end}`)
    fc.assert(
      fc.property(fc.uniqueArray(path, { maxLength: 30 }), (paths) => {
        const names = nameFolders(paths, NONE)
        expect(new Set(names.map((name) => name.normalize('NFC').toLowerCase())).size).toBe(paths.length)
        expect(names).toEqual(nameFolders(paths, NONE))
        for (const name of names) expect(name).not.toMatch(/^\.{0,2}$|\//)
        const kept = new Map(paths.map((each, index) => [each, names[index] ?? '']))
        expect(nameFolders(paths.slice(1), kept)).toEqual(names.slice(1))
      })
    )
  })
})
