import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { LOOPS_WASM_BASE64 } from '../../../../../src/tasks/wav/samples/loops/loops-wasm.ts'
import { compileLoops, MODULE_FILE, moduleText, WASM_FILE } from './build-wasm.ts'

const COMPILE_MS_MAX = 60_000

test(
  'the committed WebAssembly is the build of its source, byte for byte',
  async () => {
    const wasm = await compileLoops()
    expect(Buffer.compare(wasm, readFileSync(WASM_FILE))).toBe(0)
    expect(readFileSync(MODULE_FILE, 'utf8')).toBe(moduleText(wasm))
    expect(Buffer.compare(wasm, Buffer.from(LOOPS_WASM_BASE64, 'base64'))).toBe(0)
  },
  COMPILE_MS_MAX
)
