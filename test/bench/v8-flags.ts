/** What `bin/run.js` adds to the command line of a process that runs a peer. */
export const PEER_FLAGS: readonly string[] = [
  '--external-memory-accounted-in-global-limit',
  '--max-semi-space-size=4',
  '--initial-old-space-size=256'
]
