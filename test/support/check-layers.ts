import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blankComments, findImports, lineAt } from './source-text.ts'

/** A breach of the layer table or of purity. */
export interface Violation {
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly message: string
}

/** What each layer may import beside itself. `src/errors.ts` and `src/content-hash.ts` are open to all of `src`. The table is DESIGN's. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  bin: [],
  commands: ['cli', 'app', 'domain'],
  cli: ['domain'],
  app: [
    'submitter',
    'worker',
    'api',
    'network',
    'store',
    'compute',
    'domain',
    'tasks',
    'protocols index',
    'protocols',
    'wire'
  ],
  api: ['domain'],
  submitter: ['protocols', 'wire', 'domain', 'tasks'],
  worker: ['protocols', 'wire', 'domain', 'tasks'],
  network: ['protocols', 'wire', 'domain'],
  store: ['domain', 'tasks', 'wire'],
  compute: ['tasks', 'domain'],
  domain: ['tasks'],
  tasks: [],
  errors: [],
  'protocols index': ['protocols', 'wire'],
  protocols: ['wire'],
  wire: []
}

const PURE_LAYERS = ['domain', 'tasks']
const IMPURE =
  /\bDate\.now\b|\bnew Date\b|\bMath\.random\b|(?<![.\w'"-])(?:performance|process|setTimeout|setInterval|setImmediate|fetch|crypto)\b(?!['":?])/g

/**
 * Checks imports and purity of source files.
 *
 * @param files text by path from the project's root, with forward slashes
 * @returns breaches in the order of files: imports that go up or sideways, imports of files that are not there, cycles
 *   among files, and time, randomness or I/O in the pure layers
 */
export function checkLayers(files: ReadonlyMap<string, string>): readonly Violation[] {
  const violations: Violation[] = []
  const graph = new Map<string, string[]>()
  for (const [file, source] of files) {
    const layer = layerOf(file)
    if (layer === undefined) {
      violations.push({ file, line: 1, message: 'is in no layer: add its folder to the table in check-layers.ts' })
      continue
    }
    violations.push(...checkPurity(file, layer, source))
    const targets: string[] = []
    for (const site of findImports(source)) {
      if (PURE_LAYERS.includes(layer) && site.specifier.startsWith('node:')) {
        violations.push({ file, line: site.line, message: `${layer} is pure, but imports ${site.specifier}` })
      }
      if (!site.specifier.startsWith('.')) continue
      const target = posix.join(posix.dirname(file), site.specifier)
      const message = checkImport(file, target, files)
      if (message === undefined) targets.push(target)
      else violations.push({ file, line: site.line, message })
    }
    graph.set(file, targets)
  }
  return [...violations, ...findCycles(graph)]
}

function checkImport(file: string, target: string, files: ReadonlyMap<string, string>): string | undefined {
  if (!files.has(target)) return `imports ${target}, which is not there`
  const from = layerOf(file)
  const to = layerOf(target)
  if (from === undefined || to === undefined) return `imports ${target}, which is in no layer`
  if (to === 'errors' && file.startsWith('src/')) return undefined
  if (from === to) {
    if (from !== 'protocols' || protocolOf(file) === protocolOf(target)) return undefined
    return `protocols/${protocolOf(file)} must not import its sibling protocols/${protocolOf(target)}`
  }
  return MAY_IMPORT[from]?.includes(to) ? undefined : `${from} must not import ${to} (${target})`
}

function layerOf(file: string): string | undefined {
  const [top, second, third] = file.split('/')
  if (top === 'bin') return 'bin'
  if (top === 'protocols') {
    if (third === undefined) return 'protocols index'
    return second === 'wire' ? 'wire' : 'protocols'
  }
  if (file === 'src/errors.ts' || file === 'src/content-hash.ts') return 'errors'
  return top === 'src' && third !== undefined && second !== undefined && second in MAY_IMPORT ? second : undefined
}

function protocolOf(file: string): string {
  return file.split('/')[1] ?? ''
}

function checkPurity(file: string, layer: string, source: string): readonly Violation[] {
  if (!PURE_LAYERS.includes(layer)) return []
  const code = blankComments(source, true)
  return [...code.matchAll(IMPURE)].map((match) => ({
    file,
    line: lineAt(code, match.index),
    message: `${layer} is pure, but uses ${match[0]}: take it as an argument`
  }))
}

/** Reports each cycle once, at the file where the walk entered it. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): readonly Violation[] {
  const violations: Violation[] = []
  const finished = new Set<string>()
  const path: string[] = []
  const visit = (file: string): void => {
    const start = path.indexOf(file)
    if (start !== -1) {
      const cycle = [...path.slice(start), file]
      violations.push({ file, line: 1, message: `is in a cycle of imports: ${cycle.join(' → ')}` })
      return
    }
    if (finished.has(file)) return
    path.push(file)
    for (const target of graph.get(file) ?? []) visit(target)
    path.pop()
    finished.add(file)
  }
  for (const file of graph.keys()) visit(file)
  return violations
}

/** Reads what the check covers. */
export function readSources(root: string): ReadonlyMap<string, string> {
  const files = new Map<string, string>()
  for (const folder of ['bin', 'protocols', 'src']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.[jt]s$/.test(entry.name)) continue
      const path = join(entry.parentPath, entry.name)
      files.set(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8'))
    }
  }
  return files
}

if (import.meta.main) {
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
  const files = readSources(root)
  const violations = checkLayers(files)
  for (const { file, line, message } of violations) console.error(`${file}:${line} ${message}`)
  console.error(`layers: ${files.size} files, ${violations.length} breaches`)
  process.exitCode = violations.length === 0 ? 0 : 1
}
