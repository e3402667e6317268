import type { Advert } from '../../../protocols/advert/types.ts'

/** An open job of a submitter. */
export function advert(submitter: string, change: Partial<Advert> = {}): Advert {
  return {
    jobId: 'abcdefghijklmnopqrstuvwxyz',
    submitter,
    submitterName: 'studio',
    kind: 'invert',
    params: new Uint8Array(0),
    kernelId: 'invert/1',
    inputBytes: 1_000_000,
    blockBytes: 262_144,
    reverse: true,
    state: 'open',
    mergedBytes: 0,
    localOnly: false,
    chunkBytesMax: 4_194_304,
    incarnation: 1,
    sequence: 1,
    ...change
  }
}
