import type { Uint8ArrayList } from 'uint8arraylist'
import { KERNEL_ID_BYTES_MAX, NAME_BYTES_MAX } from '../wire/constants.ts'
import { checkBytes, checkJobId, checkText, checkUint, parseMessage } from '../wire/fields.ts'
import { WireError } from '../wire/wire-error.ts'
import { ADVERT_BYTES_MAX, ADVERTS_MAX, PARAMS_BYTES_MAX, UINT32_MAX } from './constants.ts'
import { AdvertCount, JobAdvert } from './pb/advert.ts'
import type { Advert } from './types.ts'

const KIND = /^[a-z0-9][a-z0-9-]{0,31}$/

/**
 * @param self text of this peer's id
 * @throws WireError MESSAGE_MALFORMED, SIGNATURE_INVALID when a field of our own advert is out of range
 */
export function encodeAdvert(advert: Advert, self: string): Uint8Array {
  const { state, params, ...fields } = checkAdvert(advert, self)
  const bytes = JobAdvert.encode({ ...fields, params: params as Uint8Array<ArrayBuffer>, closed: state === 'closed' })
  return checkBytes('advert', bytes, { max: ADVERT_BYTES_MAX })
}

/**
 * Takes untrusted bytes.
 * @param sender text of the peer id that is proven to have sent or signed them
 * @throws WireError MESSAGE_MALFORMED; SIGNATURE_INVALID when the advert names another submitter
 */
export function parseAdvert(bytes: Uint8Array | Uint8ArrayList, sender: string): Advert {
  checkUint('advert.byteLength', bytes.byteLength, { max: ADVERT_BYTES_MAX })
  const { closed, ...fields } = parseMessage('advert', () => JobAdvert.decode(bytes))
  return checkAdvert({ ...fields, state: closed ? 'closed' : 'open' }, sender)
}

/** @throws WireError MESSAGE_MALFORMED above {@link ADVERTS_MAX}. */
export function encodeAdvertCount(count: number): Uint8Array {
  return AdvertCount.encode({ count: checkUint('advert count', count, { max: ADVERTS_MAX }) })
}

/** Takes untrusted bytes. @throws WireError MESSAGE_MALFORMED */
export function parseAdvertCount(bytes: Uint8Array | Uint8ArrayList): number {
  const { count } = parseMessage('count of adverts', () => AdvertCount.decode(bytes))
  return checkUint('advert count', count, { max: ADVERTS_MAX })
}

function checkAdvert(advert: Advert, sender: string): Advert {
  if (advert.submitter !== sender) {
    throw new WireError('SIGNATURE_INVALID', `advert of ${advert.submitter.slice(0, 64)} came from ${sender}`)
  }
  if (!KIND.test(advert.kind)) throw new WireError('MESSAGE_MALFORMED', 'kind: expected 1 to 32 of a-z, 0-9 and dashes')
  const inputBytes = checkUint('advert.inputBytes', advert.inputBytes, { min: 1 })
  return {
    jobId: checkJobId('advert.jobId', advert.jobId),
    submitter: sender,
    submitterName: checkText('advert.submitterName', advert.submitterName, NAME_BYTES_MAX),
    kind: advert.kind,
    params: checkBytes('advert.params', advert.params, { max: PARAMS_BYTES_MAX }),
    kernelId: checkText('advert.kernelId', advert.kernelId, KERNEL_ID_BYTES_MAX),
    inputBytes,
    blockBytes: checkUint('advert.blockBytes', advert.blockBytes, { min: 1 }),
    reverse: advert.reverse,
    state: advert.state,
    mergedBytes: checkUint('advert.mergedBytes', advert.mergedBytes, { max: inputBytes }),
    localOnly: advert.localOnly,
    chunkBytesMax: checkUint('advert.chunkBytesMax', advert.chunkBytesMax, { min: 1 }),
    incarnation: checkUint('advert.incarnation', advert.incarnation, { max: UINT32_MAX }),
    sequence: checkUint('advert.sequence', advert.sequence, { max: UINT32_MAX })
  }
}
