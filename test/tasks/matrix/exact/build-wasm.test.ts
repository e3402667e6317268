import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { GEMM_WASM_BASE64 } from '../../../../src/tasks/matrix/exact/gemm-wasm.ts'
import { compileGemm, MODULE_FILE, moduleText, WASM_FILE } from './build-wasm.ts'

// No library that is loaded here types it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object) => { readonly exports: unknown }
}

const COMPILE_MS_MAX = 60_000

test(
  'the committed WebAssembly is the build of its source, byte for byte',
  async () => {
    const wasm = await compileGemm()
    expect(Buffer.compare(wasm, readFileSync(WASM_FILE))).toBe(0)
    expect(readFileSync(MODULE_FILE, 'utf8')).toBe(moduleText(wasm))
    expect(Buffer.compare(wasm, Buffer.from(GEMM_WASM_BASE64, 'base64'))).toBe(0)
  },
  COMPILE_MS_MAX
)

test('the kernel imports nothing, and its 3 MiB of memory cannot grow', () => {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(WASM_FILE)))
  const { memory } = instance.exports as { memory: { buffer: ArrayBuffer; grow(pages: number): number } }
  expect(memory.buffer.byteLength).toBe(3 * 1024 * 1024)
  expect(() => memory.grow(1)).toThrow(RangeError)
})
