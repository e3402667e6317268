import { createRequire } from 'node:module'
import { SwarmError } from '../errors.ts'
import { FAST_KERNEL_PREFIX } from '../tasks/matrix/matrix.ts'

/** The package that brings the native kernel, and the version that was measured. */
const PACKAGE = 'onnxruntime-node'
const PACKAGE_VERSION = '1.30.0'

/** What is used of the package. Written down here, so that we compile where it is not installed. */
export interface OnnxRuntime {
  readonly env: { logLevel?: string; readonly versions: { readonly node?: string } }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => object
  readonly InferenceSession: {
    create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession>
  }
}

export interface OnnxSession {
  run(feeds: Readonly<Record<string, object>>, fetches: Readonly<Record<string, object>>): Promise<unknown>
  release(): Promise<void>
}

/** What a kernel may run on. */
export type Device = 'cpu' | 'webgpu'

/** Finds a package by name. */
export type LoadPackage = (name: string) => unknown

const require = createRequire(import.meta.url)

/**
 * Names the fast kernel and its version, for receipts and to learn whether it is there.
 *
 * @throws SwarmError with code KERNEL_MISSING, when the package cannot be loaded
 */
export function fastKernelId(load: LoadPackage = require): string {
  return kernelIdOf(loadRuntime(load).env.versions.node ?? 'unknown')
}

/**
 * Whether the fast kernel is installed, without loading it, which costs 35 MB. @returns its id, or undefined
 */
export function installedFastKernelId(load: LoadPackage = require): string | undefined {
  try {
    const { version } = load(`${PACKAGE}/package.json`) as { readonly version: string }
    return kernelIdOf(version)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') return undefined
    throw error
  }
}

function kernelIdOf(version: string): string {
  return `${FAST_KERNEL_PREFIX}ort-${version}`
}

/**
 * Without spinning: else the threads of a session keep their cores busy for more than 50 ms after each product, at the
 * cost of everybody else, and are not faster by it (measured). Without an arena: it never gives memory back.
 */
export function sessionOptions(threads: number, device: Device): Readonly<Record<string, unknown>> {
  return {
    executionProviders: [device],
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableCpuMemArena: false,
    enableMemPattern: false,
    extra: { session: { intra_op: { allow_spinning: '0' } } }
  }
}

/** Node keeps what was loaded, so that this costs nothing after the first time. */
export function loadRuntime(load: LoadPackage): OnnxRuntime {
  try {
    const runtime = load(PACKAGE) as OnnxRuntime
    // Its warnings are about the machine, on a stderr that is not its own.
    runtime.env.logLevel = 'error'
    return runtime
  } catch (error) {
    throw missing(error)
  }
}

function missing(error: unknown): SwarmError {
  const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  return new SwarmError(
    'KERNEL_MISSING',
    `the fast matrix kernel needs the optional package ${PACKAGE} ${PACKAGE_VERSION}, which cannot be loaded on ` +
      `${process.platform} ${process.arch}: ${reason}. Where swarm is installed, run: npm install --no-save ` +
      `--ignore-scripts ${PACKAGE}@${PACKAGE_VERSION}; or use --exact, which needs no package`,
    { cause: error }
  )
}

/** Runs an operation of the package. @throws SwarmError KERNEL_FAILED */
export async function failing<Value>(operation: () => Promise<Value>): Promise<Value> {
  try {
    return await operation()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new SwarmError('KERNEL_FAILED', `the fast matrix kernel failed: ${reason}`, { cause: error })
  }
}
