// Makes a fresh clone ready: installs what the lock file says unless it is there already, and builds unless the build is
// newer than its sources. Plain JavaScript for the system's Node, run by npm before `test` and `demo`.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const SOURCES = ['bin', 'src', 'protocols', 'package.json', 'tsconfig.json']
/** Written last by `npm run build`. */
const BUILD_STAMP = 'oclif.manifest.json'

if (!isInstalled()) npm('ci', '--no-audit', '--no-fund')
if (!isBuilt()) npm('run', 'build')

/** Whether npm's own record of node_modules has every package of the lock file, in its version. */
function isInstalled() {
  const record = join(ROOT, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = readPackages(join(ROOT, 'package-lock.json'))
  const present = readPackages(record)
  return Object.entries(wanted).every(([path, { version, optional }]) => {
    // '' is this package itself; npm leaves out the optional ones that are for other systems.
    return path === '' || optional === true || present[path]?.version === version
  })
}

function readPackages(path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages ?? {}
}

function isBuilt() {
  const stamp = join(ROOT, BUILD_STAMP)
  if (!existsSync(stamp) || !existsSync(join(ROOT, 'dist'))) return false
  const builtMs = statSync(stamp).mtimeMs
  return SOURCES.every((source) => newestMs(join(ROOT, source)) <= builtMs)
}

/** Folders count too: a deleted file changes the time of its folder. */
function newestMs(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), stat.mtimeMs)
}

function npm(...args) {
  process.stderr.write(`> npm ${args.join(' ')}\n`)
  const { status } = spawnSync('npm', args, { cwd: ROOT, stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) process.exit(status ?? 1)
}
