import type { ChildProcess } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { KernelWay, Operands } from './matrix-ways.ts'
import type { StartedProcesses } from './started-processes.ts'

/** Says its version, then for each number of rows multiplies in slices of that many and says the ms; 0 saves C. */
const SCRIPT = `
import sys, time
import numpy as np
folder, size = sys.argv[1], int(sys.argv[2])
a, b = (np.fromfile(f'{folder}/{name}.f32', '<f4').reshape(size, size) for name in 'ab')
c = np.zeros_like(a)
print(np.__version__, flush=True)
for line in sys.stdin:
    rows = int(line)
    started = time.perf_counter()
    if rows == 0:
        c.tofile(sys.argv[3])
    else:
        for start in range(0, size, rows):
            np.matmul(a[start:start + rows], b, out=c[start:start + rows])
    print((time.perf_counter() - started) * 1000, flush=True)
`

/** NumPy in a process of its own, on the data of the other ways. */
export interface Numpy {
  readonly version: string
  /** In slices of so many rows. */
  way(rows: number): KernelWay
}

/** Writes the operands to where {@link startNumpy} reads them. */
export async function saveOperands(folder: string, { a, b }: Operands): Promise<void> {
  await writeFile(join(folder, 'a.f32'), bytesOf(a))
  await writeFile(join(folder, 'b.f32'), bytesOf(b))
}

/** @returns undefined when there is no Python 3 or no NumPy, which is said on stderr */
export async function startNumpy(
  processes: StartedProcesses,
  folder: string,
  size: number,
  threads: number
): Promise<Numpy | undefined> {
  const saved = join(folder, `numpy-${threads}.f32`)
  // Set, it would choose kernels for an older CPU, at half the speed on this machine.
  const { OPENBLAS_CORETYPE: _, ...env } = process.env
  const child = processes.start('python3', ['-c', SCRIPT, folder, `${size}`, saved], {
    env: { ...env, OPENBLAS_NUM_THREADS: `${threads}` },
    stdio: ['pipe', 'pipe', 'inherit']
  })
  const lines = linesOf(child)
  const first = await lines.next()
  if (first.done === true) return undefined
  const ask = async (rows: number): Promise<number> => {
    child.stdin?.write(`${rows}\n`)
    const { value } = await lines.next()
    const ms = Number(value)
    if (Number.isNaN(ms)) throw new Error(`NumPy said ${value} instead of a time`)
    return ms
  }
  const result = async (): Promise<Float32Array> => {
    await ask(0)
    const bytes = await readFile(saved)
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  }
  return {
    version: first.value,
    way: (rows) => ({ run: () => ask(rows), result, close: () => processes.end(child) })
  }
}

async function* linesOf(child: ChildProcess): AsyncGenerator<string, undefined> {
  // There is no python3: its output ends without a line.
  child.once('error', (error) => console.error(`python3 cannot be started: ${error.message}`))
  if (child.stdout !== null) yield* createInterface({ input: child.stdout })
}

function bytesOf(matrix: Float32Array): Uint8Array {
  return new Uint8Array(matrix.buffer, matrix.byteOffset, matrix.byteLength)
}
