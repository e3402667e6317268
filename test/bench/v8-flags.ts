/** What `bin/run.js` adds to the command line of a process that runs a peer. */
export const PEER_FLAGS: readonly string[] = [
  '--max-semi-space-size=1',
  '--heap-growing-percent=100',
  '--external-memory-accounted-in-global-limit',
  '--expose-gc'
]
