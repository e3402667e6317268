/** Protocol id of operand streams. Frozen. */
export const OPERAND_PROTOCOL = '/swarm/operand/1.0.0'

/** Blocks that one stream may have named and not let go; a peer that names more is cut off. */
export const OPERAND_NAMES_MAX = 16

/**
 * Bytes of a block that are asked for first, in one Noise message. The rest is asked for once these are there, so blocks
 * that the other side waits for itself hold up little of what one stream may have outstanding.
 */
export const OPERAND_FIRST_RANGE_BYTES = 65_488

/**
 * How long a range may wait for its block at the serving end before it is refused, in ms. Below half of STALL_MS, so that
 * a block which does not come ends its own pull and not the stream.
 */
export const OPERAND_WAIT_MS = 10_000
