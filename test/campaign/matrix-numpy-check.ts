import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** Says the shape, the largest error as a share of the bound, and the largest relative difference from NumPy's product. */
const SCRIPT = `
import json, sys
import numpy as np
a, b, c = (np.load(path, mmap_mode='r') for path in sys.argv[1:])
k = a.shape[1]
gamma = k * 2.0**-24 / (1 - k * 2.0**-24)
share = off = 0.0
b64 = b.astype(np.float64)
b_abs = np.abs(b64)
bf = b.astype(np.float32)
for start in range(0, a.shape[0], 512):
    rows = a[start:start + 512].astype(np.float64)
    exact, bound = rows @ b64, gamma * (np.abs(rows) @ b_abs)
    error = np.abs(c[start:start + 512].astype(np.float64) - exact)
    share = max(share, float(np.max(error / bound)))
    own = np.abs((rows.astype(np.float32) @ bf).astype(np.float64) - exact)
    off = max(off, float(np.max(own / bound)))
print(json.dumps({'rows': c.shape[0], 'columns': c.shape[1], 'dtype': str(c.dtype), 'share': share, 'numpyShare': off}))
`

/** How a product compares with NumPy's. */
export interface NumpyVerdict {
  readonly rows: number
  readonly columns: number
  readonly dtype: string
  /** Largest |c − A·B| / (γ(k)·|A|·|B|) by element, A·B in float64: at most 1 for any order of float32 sums. */
  readonly share: number
  /** The same of NumPy's own float32 product. */
  readonly numpyShare: number
}

/** Reads three .npy files with NumPy and compares. @throws Error when python3 or NumPy are missing or fail */
export async function compareWithNumpy(a: string, b: string, c: string): Promise<NumpyVerdict> {
  // Set, it would choose kernels for an older CPU, at half the speed.
  const { OPENBLAS_CORETYPE: _, ...env } = process.env
  const child = spawn('python3', ['-c', SCRIPT, a, b, c], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  if (exitCode !== 0) throw new Error(`the comparison with NumPy ended with ${exitCode}`)
  return JSON.parse(said) as NumpyVerdict
}
