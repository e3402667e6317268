/** Protocol id of result streams. */
export const RESULT_PROTOCOL = '/swarm/result/1.0.0'
/** Offers that one stream may have without a verdict; their claims are what they cost the submitter in memory. */
export const OFFERS_OPEN_MAX = 256
