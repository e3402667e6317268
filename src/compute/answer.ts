import { move, transferableSymbol, valueSymbol } from 'piscina'
import { SwarmError } from '../errors.ts'
import type { ThreadFailure } from './kernel-messages.ts'

/** Turns what an operation gives or throws into a message, with its buffers transferred. */
export function answer<Reply extends object>(
  operation: () => Reply,
  buffersOf: (reply: Reply) => readonly ArrayBuffer[] = () => []
): unknown {
  try {
    return moved(operation(), buffersOf)
  } catch (error) {
    return failure(error)
  }
}

/** {@link answer} for operations that wait. */
export async function answerAsync<Reply extends object>(
  operation: () => Promise<Reply>,
  buffersOf: (reply: Reply) => readonly ArrayBuffer[] = () => []
): Promise<unknown> {
  try {
    return moved(await operation(), buffersOf)
  } catch (error) {
    return failure(error)
  }
}

function moved<Reply extends object>(reply: Reply, buffersOf: (reply: Reply) => readonly ArrayBuffer[]): unknown {
  const buffers = buffersOf(reply)
  return buffers.length === 0 ? reply : move({ [transferableSymbol]: buffers, [valueSymbol]: reply })
}

/** Structured clones lose an error's code. */
function failure(error: unknown): ThreadFailure {
  if (!(error instanceof SwarmError)) throw error
  return { failure: { code: error.code, message: error.message, exitCode: error.exitCode } }
}
