import { parseArgs } from 'node:util'

/** How large a campaign is; what is not given has the size that issue 4 asks for. */
export interface Sizes {
  /** Of audio; each section has its own without. */
  readonly minutes: number | undefined
  /** Of the file of `long`. */
  readonly bytes: number
  /** Of `batch`. */
  readonly files: number
  /** Of which `speed` takes the median. */
  readonly rounds: number
  /** Of `unbroken`; only those that begin with one of these. */
  readonly effects: readonly string[] | undefined
}

/** Reads `[SECTION…] [--minutes N] [--bytes N] [--files N] [--rounds N] [--effects NAME,NAME]`. @throws Error for what makes no sense */
export function parseSizes(args: readonly string[]): { readonly sections: readonly string[]; readonly sizes: Sizes } {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: 'string' },
      bytes: { type: 'string', default: '6000000000' },
      files: { type: 'string', default: '50' },
      rounds: { type: 'string', default: '3' },
      effects: { type: 'string' }
    }
  })
  const sizes = {
    minutes: values.minutes === undefined ? undefined : positive('--minutes', values.minutes),
    bytes: positive('--bytes', values.bytes),
    files: positive('--files', values.files),
    rounds: positive('--rounds', values.rounds),
    effects: values.effects?.split(',')
  }
  return { sections: positionals, sizes }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (value > 0 && Number.isFinite(value)) return value
  throw new Error(`${name} is to be a number above 0, but is ${text}`)
}
