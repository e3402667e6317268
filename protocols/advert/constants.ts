/** Id of the stream protocol that pulls adverts. Frozen. */
export const ADVERT_PROTOCOL = '/swarm/advert/1.0.0'

/** Longest advert, encoded, in bytes: gossip above this is unreliable. */
export const ADVERT_BYTES_MAX = 16_384
/** Longest encoded parameters of a task in an advert, in bytes. */
export const PARAMS_BYTES_MAX = 8_192
/** Adverts that one pull answers, and jobs of one submitter whose freshness is remembered. */
export const ADVERTS_MAX = 64
/** Submitters whose adverts' freshness is remembered; the one heard of longest ago is forgotten first. */
export const SUBMITTERS_MAX = 1_024
/** Largest value of a uint32 field. */
export const UINT32_MAX = 0xffff_ffff
/** Time for a whole pull, in ms. */
export const PULL_TIMEOUT_MS = 10_000
/** Pull streams that one connection may have open at once. */
export const ADVERT_STREAMS_MAX = 4

/** Gossip topic of a swarm's adverts. */
export function advertTopic(swarmId: string): string {
  return `/swarm/${swarmId}/advert/1`
}
