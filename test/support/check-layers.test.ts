import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { checkLayers, readSources } from './check-layers.ts'
import { blankComments, findImports } from './source-text.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

function breaches(files: Record<string, string>): readonly string[] {
  return checkLayers(new Map(Object.entries(files))).map(({ file, line, message }) => `${file}:${line} ${message}`)
}

describe('layers', () => {
  test('allows imports that go down', () => {
    expect(
      breaches({
        'src/errors.ts': '',
        'src/domain/job.ts': "import { a } from '../errors.ts'",
        'protocols/wire/frame.ts': '',
        'protocols/lease/types.ts': "import type { F } from '../wire/frame.ts'",
        'protocols/index.ts': "export { F } from './lease/types.ts'",
        'src/submitter/run.ts': "import type { J } from '../domain/job.ts'\nimport '../../protocols/lease/types.ts'",
        'src/app/compose.ts': "import { r } from '../submitter/run.ts'\nimport { p } from '../../protocols/index.ts'"
      })
    ).toEqual([])
  })

  test('refuses an import that goes up, with its line', () => {
    expect(
      breaches({ 'src/app/compose.ts': '', 'src/api/server.ts': "\nimport type { C } from '../app/compose.ts'" })
    ).toEqual(['src/api/server.ts:2 api must not import app (src/app/compose.ts)'])
  })

  test('refuses siblings: submitter and worker, two protocols', () => {
    expect(
      breaches({ 'src/worker/run.ts': '', 'src/submitter/run.ts': "export * from '../worker/run.ts'" })
    ).toHaveLength(1)
    expect(breaches({ 'protocols/lease/a.ts': '', 'protocols/chunk/b.ts': "import '../lease/a.ts'" })).toEqual([
      'protocols/chunk/b.ts:1 protocols/chunk must not import its sibling protocols/lease'
    ])
  })

  test('refuses protocols that reach into src, and dynamic imports that go up', () => {
    expect(breaches({ 'src/errors.ts': '', 'protocols/lease/a.ts': "import '../../src/errors.ts'" })).toHaveLength(1)
    expect(breaches({ 'src/app/a.ts': '', 'src/cli/b.ts': "const a = await import('../app/a.ts')" })).toHaveLength(1)
  })

  test('names a cycle among files once', () => {
    const found = breaches({
      'src/cli/a.ts': "import './b.ts'",
      'src/cli/b.ts': "import './c.ts'",
      'src/cli/c.ts': "import type { A } from './a.ts'"
    })
    expect(found).toEqual([
      'src/cli/a.ts:1 is in a cycle of imports: src/cli/a.ts → src/cli/b.ts → src/cli/c.ts → src/cli/a.ts'
    ])
  })

  test('names an import of nothing and a folder outside the table', () => {
    expect(breaches({ 'src/cli/a.ts': "import './gone.ts'" })).toEqual([
      'src/cli/a.ts:1 imports src/cli/gone.ts, which is not there'
    ])
    expect(breaches({ 'src/utils/a.ts': '' })[0]).toContain('is in no layer')
  })

  test('refuses time, randomness, timers and node modules in pure layers, but not in words', () => {
    const impure = ['Date.now()', 'new Date()', 'Math.random()', 'performance.now()', 'setTimeout(f, 1)', 'process.env']
    for (const use of impure) expect(breaches({ 'src/domain/a.ts': `\nexport const a = ${use}` })).toHaveLength(1)
    expect(breaches({ 'src/tasks/a.ts': "import { hash } from 'node:crypto'" })).toHaveLength(1)
    expect(breaches({ 'src/domain/a.ts': "// Date.now()\nexport const a = 'process'\n/** setTimeout */" })).toEqual([])
    expect(breaches({ 'src/cli/a.ts': 'Date.now()' })).toEqual([])
  })

  test('hold in this tree', () => {
    const found = checkLayers(readSources(ROOT)).map(({ file, line, message }) => `${file}:${line} ${message}`)
    expect(found).toEqual([])
  })
})

describe('source text', () => {
  test('finds each form of import and skips those in comments', () => {
    const source = [
      "import './a.ts'",
      "import type { B } from './b.ts'",
      'import {',
      '  c,',
      '  type D',
      "} from './c.ts'",
      "export * from './d.ts'",
      "// import './no.ts'",
      "const e = await import('./e.ts')"
    ].join('\n')
    expect(findImports(source)).toEqual([
      { specifier: './a.ts', typeOnly: false, line: 1 },
      { specifier: './b.ts', typeOnly: true, line: 2 },
      { specifier: './c.ts', typeOnly: false, line: 3 },
      { specifier: './d.ts', typeOnly: false, line: 7 },
      { specifier: './e.ts', typeOnly: false, line: 9 }
    ])
  })

  test('keeps offsets, lines and the code inside templates', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is source text
    const source = "const a = 'x//y' // z\nconst b = `t ${process.pid} u`"
    const code = blankComments(source, true)
    expect(code).toHaveLength(source.length)
    expect(code).not.toContain('z')
    expect(code).toContain('process.pid')
    expect(code).not.toContain('t $')
  })
})
