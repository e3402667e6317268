const utf8 = new TextEncoder()

/** Domain string of a worker's claim. Frozen: a change of meaning is a new string. */
export const CLAIM_DOMAIN = 'swarm-claim-v1'
/** Domain string of a submitter's receipt. */
export const RECEIPT_DOMAIN = 'swarm-receipt-v1'
/** Domain string of a feed entry. */
export const ENTRY_DOMAIN = 'swarm-entry-v1'

/** Payload type of a claim envelope. */
export const CLAIM_TYPE: Uint8Array = utf8.encode('/swarm/claim/1')
/** Payload type of a receipt envelope. */
export const RECEIPT_TYPE: Uint8Array = utf8.encode('/swarm/receipt/1')
/** Payload type of a feed-entry envelope. */
export const ENTRY_TYPE: Uint8Array = utf8.encode('/swarm/entry/1')

/** Bytes of a hash: SHA-256 of entries, BLAKE3 of contents. */
export const HASH_BYTES = 32
/** Upper bound of a claim envelope, in bytes. */
export const CLAIM_BYTES_MAX = 2048
/** Upper bound of a receipt envelope, in bytes; it holds a claim envelope. */
export const RECEIPT_BYTES_MAX = 4096
/** Upper bound of a feed-entry envelope, in bytes, so that one always fits a control message. */
export const ENTRY_BYTES_MAX = 60 * 1024
/** Upper bound of the receipts in one feed entry. */
export const RECEIPTS_PER_ENTRY_MAX = 64

/** Upper bound of a human name, in bytes of UTF-8. */
export const NAME_BYTES_MAX = 63
/** Upper bound of the text of a peer id, in bytes. */
export const PEER_ID_BYTES_MAX = 128
/** Upper bound of a kernel id, in bytes of UTF-8. */
export const KERNEL_ID_BYTES_MAX = 128
/** Upper bound of short names from closed sets (task kind, unit, verification), in bytes of UTF-8. */
export const LABEL_BYTES_MAX = 64

/** Upper bound of an operand block, in bytes: what peers fetch from each other and keep. */
export const OPERAND_BYTES_MAX = 4 * 1024 * 1024

/** Upper bound of one message on a control stream, in bytes, without its length prefix. */
export const CONTROL_MESSAGE_BYTES_MAX = 64 * 1024
/** Bytes of the secret that both ends of a lane derive its keys from. */
export const LANE_SECRET_BYTES = 32
/** Bytes of a LANE frame's payload: the suites that are quick at the receiving end, then the secret. */
export const LANE_OFFER_BYTES: number = 1 + LANE_SECRET_BYTES
