/** Time to live of a lease from its grant until its first pull or heartbeat, in ms. */
export const LEASE_TTL_FIRST_MS = 5_000
/** Time to live from the last heartbeat or data, in ms. */
export const LEASE_TTL_MS = 10_000
/** A lease without progress for this long is over, in ms, unless its estimate allows more. */
export const PROGRESS_LIMIT_MS = 30_000
/** …or for this many times its estimate. */
export const PROGRESS_LIMIT_ESTIMATES = 4
/** Estimate for a peer that was never measured, in ms a chunk. */
export const ESTIMATE_UNKNOWN_MS = 1_000

/** Live leases that one chunk may have: the first and one backup copy. */
export const LIVE_LEASES_MAX = 2
/** Grants in answer to one claim. */
export const GRANTS_PER_CLAIM_MAX = 32
/** Ended leases remembered, so that a late result finds its chunk. */
export const ENDED_LEASES_MAX = 8_192
/** Peers remembered; those without leases, bar or back-off go first. */
export const PEERS_MAX = 4_096
/** Queued chunks that are looked at for one that suits a claim. */
export const QUEUE_LOOK_MAX = 16
/** Live leases that are looked at for one that deserves a backup copy. */
export const BACKUP_LOOK_MAX = 64

/** A backup copy is worth it when the claimant would finish this many times sooner. */
export const BACKUP_GAIN_MIN = 1.3
/** A lease gets no copy before this age, in ms: a probe needs a round trip before anybody can judge it. */
export const BACKUP_AGE_MS_MIN = 200
/** Part of the job's bytes that backup copies may add. */
export const BACKUP_SHARE_MAX = 0.1
/** An offered result of which no byte came for this long counts as stuck, in ms. */
export const OFFER_STUCK_MS = 2_000

/** Failed attempts, over {@link LOCAL_PEERS_MIN} peers, after which only the submitter's own worker takes a chunk. */
export const LOCAL_ATTEMPTS_MIN = 5
/** Distinct peers that must have failed. */
export const LOCAL_PEERS_MIN = 3
/** Failed attempts after which it takes the chunk whoever failed, so that a swarm of one peer ends too. */
export const LOCAL_ATTEMPTS_MAX = 10
/** Without any peer for this long, the submitter's own worker takes what would be shipped, in ms. */
export const NO_PEER_MS = 5_000

/** First back-off of a peer that failed, in ms; it doubles with each failure in a row. */
export const BACKOFF_MS = 250
/** Longest back-off, in ms. */
export const BACKOFF_MS_MAX = 30_000
/** When to ask again while the window is full, in ms; a wake message comes sooner. */
export const RETRY_BUSY_MS = 250
/** When to ask again while all is leased, in ms: a holder may turn out slow by then. */
export const RETRY_LEASED_MS = 500

/** Held results are adopted within this many windows from the frontier, since a restart may set the frontier back. */
export const ADOPT_WINDOWS = 2
