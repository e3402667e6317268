import { expect, test } from 'vitest'
import { nearestName } from '../../../../src/tasks/wav/chain/near-names.ts'

const NAMES = ['gain', 'eq', 'highpass', 'lowpass', 'reverse', 'reverb']

test.each([
  ['hihgpass', 'highpass'],
  ['highpas', 'highpass'],
  ['Revreb', 'reverb'],
  ['gian', 'gain'],
  ['eqq', 'eq'],
  ['wobble', undefined],
  ['', undefined],
  ['x'.repeat(4000), undefined]
])('%s is near to %s', (word, name) => {
  expect(nearestName(word, NAMES)).toBe(name)
})
