import { expect, test } from 'vitest'
import { formatChain } from '../../../../src/tasks/wav/chain/format-chain.ts'
import { parseChain } from '../../../../src/tasks/wav/chain/parse-chain.ts'
import { splitPasses } from '../../../../src/tasks/wav/chain/split-passes.ts'

const TEXT = 'highpass 80, eq 3000 1.2q -4, compress -18 3, reverb 35, normalize -16LUFS'

test('the chain of the manual is its own normal form, in two passes', () => {
  const chain = parseChain(TEXT)
  expect(formatChain(chain)).toBe(TEXT)
  expect(splitPasses(chain).map((pass) => pass.map(({ kind }) => kind.name))).toEqual([
    ['highpass', 'eq', 'compress', 'reverb'],
    ['normalize']
  ])
})

test('levels and percentages are read with their units in any case, or without', () => {
  expect(formatChain(parseChain('reverb 35% damping=60%, normalize -1dbtp, limit ceiling=-1'))).toBe(
    'reverb 35 60, normalize -1dBTP, limit -1dB'
  )
})
