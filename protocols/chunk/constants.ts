/** Protocol id of chunk streams. */
export const CHUNK_PROTOCOL = '/swarm/chunk/1.0.0'
