import { EXIT_CODES, SwarmError } from '../errors.ts'

/** Ours, put into the handshake error, since libp2p's upgrader keeps nothing of an error but its message. */
const REFUSAL_MARK = 'swarm: the other end is not in this swarm'
/** How libp2p-noise names a record that does not authenticate during the handshake. */
const HANDSHAKE_ERROR_CODE = 'ERR_INVALID_CRYPTO_EXCHANGE'

/**
 * Names the failure of an outbound handshake. The second message is the first that both prologues protect, so between
 * two swarms it is always the dialling end that finds out; the other end only sees the connection go.
 */
export function markRefusal(error: unknown): unknown {
  if (error instanceof Error && 'code' in error && error.code === HANDSHAKE_ERROR_CODE) {
    return new Error(`${REFUSAL_MARK} (${error.message})`, { cause: error })
  }
  return error
}

/** Turns what `dial` threw into a SwarmError with code NOT_A_MEMBER when any address refused us for our swarm. */
export function asRefusal(error: unknown, address: string): SwarmError | undefined {
  if (error instanceof AggregateError) {
    return error.errors.map((each) => asRefusal(each, address)).find((each) => each !== undefined)
  }
  if (!(error instanceof Error) || !error.message.includes(REFUSAL_MARK)) {
    return undefined
  }
  return new SwarmError(
    'NOT_A_MEMBER',
    `${address} answered, but it is in another swarm: get a fresh code with "swarm invite" on a member machine, then "swarm join CODE" here`,
    { cause: error, exitCode: EXIT_CODES.notAMember }
  )
}
