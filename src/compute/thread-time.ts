/**
 * CPU time of this thread so far, where Node tells it (from 23.9), else wall time; in ms. Kernels are timed by it, so that
 * peers that share cores do not count each other's work as their own.
 */
export function threadTimeMs(): number {
  if (process.threadCpuUsage === undefined) return performance.now()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
