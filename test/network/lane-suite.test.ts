import { describe, expect, test } from 'vitest'
import { chooseSuite, LaneSuite, quickSuites } from '../../src/network/lane-suite.ts'

const { aes256Gcm, chaCha20Poly1305 } = LaneSuite
const both = aes256Gcm | chaCha20Poly1305

describe('suites of lanes', () => {
  test.each([
    [both, both, aes256Gcm],
    [both, chaCha20Poly1305, chaCha20Poly1305],
    [chaCha20Poly1305, both, chaCha20Poly1305],
    [both, 0, chaCha20Poly1305],
    [both, 0xff, aes256Gcm]
  ])('quick here %i, quick there %i: suite %i', (here, there, suite) => {
    expect(chooseSuite(here, there)).toBe(suite)
  })

  test('what is quick here is measured once, and holds ChaCha20', () => {
    expect(quickSuites() & chaCha20Poly1305).toBe(chaCha20Poly1305)
    expect(quickSuites()).toBe(quickSuites())
  })
})
