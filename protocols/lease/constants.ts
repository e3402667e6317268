/** Id of the lease protocol. Frozen. */
export const LEASE_PROTOCOL = '/swarm/lease/1.0.0'

/** Time to live of a fresh grant, in ms: until the first pull or heartbeat. */
export const LEASE_TTL_FIRST_MS = 5_000
/** Time to live of a lease after each pull or heartbeat, in ms. */
export const LEASE_TTL_MS = 10_000
/** A worker sends a heartbeat this often, in ms. */
export const HEARTBEAT_INTERVAL_MS = 2_000
/** A worker stops work on a lease after this fraction of its time to live without an acknowledgement. */
export const WORKER_STOP_FRACTION = 0.9

/** Chunks that one claim may ask for. */
export const CLAIM_COUNT_MAX = 32
/** Claims of one session that may wait for an answer at once; further ones are refused as busy. */
export const CLAIMS_PENDING_MAX = 8
/** When to ask again after a claim that was refused because too many were waiting, in ms. */
export const CLAIM_BUSY_RETRY_MS = 250
/** A worker gives a claim up after this long, in ms: the submitter may have to read the input from a slow disk. */
export const CLAIM_TIMEOUT_MS = 30_000
/** Leases that one heartbeat, release or revocation may name. */
export const LEASES_PER_MESSAGE_MAX = 256
/** Leases in one heartbeat, and so leases of one session. */
export const HEARTBEAT_LEASES_MAX: number = LEASES_PER_MESSAGE_MAX
/** A worker gives the acknowledgement of a heartbeat up after this long, in ms: the leases are over by then anyway. */
export const HEARTBEAT_TIMEOUT_MS: number = LEASE_TTL_MS
/** Heartbeats that may wait for their acknowledgement at once. */
export const HEARTBEATS_PENDING_MAX = 8
/** Kernels that a worker may name. */
export const KERNEL_IDS_MAX = 64
/** Blocks that one grant may name. */
export const OPERANDS_PER_GRANT_MAX = 256
/**
 * Blocks that all grants of one answer may name together: with the largest value in every field of {@link CLAIM_COUNT_MAX}
 * grants and of {@link OPERAND_PEERS_PER_ANSWER_MAX} peer ids, the answer still fits a control message.
 */
export const OPERANDS_PER_ANSWER_MAX = 768
/** Holders that a grant names for each block. */
export const OPERAND_HOLDERS_MAX = 3
/** Different holders that all grants of one answer may name; a position among them takes one byte. */
export const OPERAND_PEERS_PER_ANSWER_MAX = 128
/** Blocks that one message may say were added or dropped. */
export const OPERAND_CHANGES_MAX = 256
/** Held results that a worker may name. */
export const HELD_RESULTS_MAX = 256
/** Largest wait that an answer to a claim may ask for, in ms. */
export const RETRY_AFTER_MS_MAX = 3_600_000
/** Largest time to live that a worker believes, in ms. */
export const TTL_MS_MAX = 3_600_000

/** Kernel threads that a worker may say it runs. */
export const THREADS_MAX = 4_096
/** Largest value of a uint32 field. */
export const UINT32_MAX = 0xffff_ffff

/** Time for the first messages both ways, in ms. */
export const HANDSHAKE_TIMEOUT_MS = 10_000

/** Refused claims and releases of a session at once, above which its stream is aborted. */
export const IDLE_MESSAGE_BURST_MAX = 512
/** Refused claims and releases per second in the long run. */
export const IDLE_MESSAGES_PER_SECOND_MAX = 1_000
/** Heartbeats of a session at once, above which its stream is aborted. */
export const HEARTBEAT_BURST_MAX = 20
/** Heartbeats per second in the long run: ten times the nominal rate of {@link HEARTBEAT_INTERVAL_MS}. */
export const HEARTBEATS_PER_SECOND_MAX = 5
/** Messages about operands of a session at once, above which its stream is aborted. */
export const OPERAND_MESSAGE_BURST_MAX = 64
/** Messages about operands per second in the long run. */
export const OPERAND_MESSAGES_PER_SECOND_MAX = 50

/** Lease streams of one connection that libp2p lets in: one to serve, the rest to refuse in words. */
export const LEASE_STREAMS_MAX = 4
