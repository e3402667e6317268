/** Longest request body, in bytes. */
export const API_BODY_BYTES_MAX = 64 * 1024
/** Longest line of a streamed answer, in bytes of UTF-8. */
export const API_LINE_BYTES_MAX = 1024 * 1024
/** Longest answer to a plain request, in bytes. */
export const API_ANSWER_BYTES_MAX = 64 * 1024 * 1024
/** Most connections that one socket serves at once. */
export const API_CONNECTIONS_MAX = 64
/** Time for a request to arrive whole. */
export const API_REQUEST_TIMEOUT_MS = 10_000
/** Time for the process behind a socket to say that it is there. */
export const API_HELLO_TIMEOUT_MS = 2_000
/** How long a client that stops a job waits for the job's last event. */
export const API_STOP_TIMEOUT_MS = 10_000
/** How long a closing server lets streams say their last event. */
export const API_CLOSE_TIMEOUT_MS = 500
