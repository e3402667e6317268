/** A decimal number with what follows it, as in `3.5kHz`. */
export interface NumberWord {
  /** Sign, digits and point. */
  readonly digits: string
  /** Power of ten. */
  readonly exponent: number
  /** What follows; may be empty. */
  readonly suffix: string
}

const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:e([+-]?\d{1,3}))?(.*)$/is

/** Splits a word into a decimal number and what follows it. @returns undefined when it does not begin with a number */
export function splitNumber(word: string): NumberWord | undefined {
  const match = NUMBER.exec(word)
  if (match === null) return undefined
  const [, digits = '', exponent = '0', suffix = ''] = match
  return { digits, exponent: Number(exponent), suffix }
}

/**
 * The double nearest to a decimal number times a power of ten: `4.1` with 3 is 4100, without the error of a product. −0
 * becomes 0.
 */
export function scaledNumber(number: NumberWord, powerOfTen: number): number {
  return Number(`${number.digits}e${number.exponent + powerOfTen}`) + 0
}
