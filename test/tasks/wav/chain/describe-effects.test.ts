import { expect, test } from 'vitest'
import { describeEffects } from '../../../../src/tasks/wav/chain/describe-effects.ts'
import { CATALOGUE } from '../../../../src/tasks/wav/effects/catalogue.ts'

test('describes every effect of the catalogue with a usage line', () => {
  const descriptions = describeEffects()
  expect(descriptions.map(({ name }) => name)).toEqual(CATALOGUE.map(({ name }) => name))
  for (const { name, usage, summary, parameters } of descriptions) {
    expect(usage.startsWith(name)).toBe(true)
    expect(summary).not.toBe('')
    for (const parameter of parameters) expect(parameter.expected).not.toBe('')
  }
})

test('gives names, ranges, units and fallbacks of parameters', () => {
  const bass = describeEffects().find(({ name }) => name === 'bass')
  expect(bass?.usage).toBe('bass <gain> [frequency=100] [width=0.5s]')
  expect(bass?.parameters).toEqual([
    expect.objectContaining({ name: 'gain', required: true, units: ['dB'], min: -60, max: 60 }),
    expect.objectContaining({ name: 'frequency', required: false, units: ['Hz', 'kHz'], fallback: '100' }),
    expect.objectContaining({ name: 'width', units: ['s', 'h', 'o', 'q'], fallback: '0.5s' })
  ])
})

test('lists the choices of a choice', () => {
  const fade = describeEffects().find(({ name }) => name === 'fade')
  expect(fade?.parameters[2]).toMatchObject({
    choices: ['log', 'linear', 'quarter-sine', 'half-sine', 'parabola'],
    expected: 'log, linear, quarter-sine, half-sine or parabola'
  })
})
