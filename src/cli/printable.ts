/**
 * Makes text from elsewhere (names of peers, messages of other machines) fit for a terminal: control characters, line
 * breaks and text direction overrides become `·`, so nobody can move the cursor or fake a line.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069\u200e\u200f]/gu, '·')
}
