import { describe, expect, test } from 'vitest'
import { drawWaveform, type Waveform } from '../../../../src/tasks/wav/pictures/waveform-picture.ts'

const BYTES_MAX = 300_000

function waveform(channels: number, bins: number, level = 0.5): Waveform {
  const bin = { min: new Float32Array(bins).fill(-level), max: new Float32Array(bins).fill(level) }
  return { sampleRate: 48_000, frames: 48_000 * 12, channels, bins: Array.from({ length: channels }, () => bin) }
}

/** Heights of the outline of the first channel, greatest and least. */
function outline(svg: string): number[] {
  const path = /<path d="M([^"]*)Z"/.exec(svg)?.[1] ?? ''
  const heights = path.split('L').map((point) => Number(point.split(' ')[1]))
  return [Math.min(...heights), Math.max(...heights)]
}

describe('drawWaveform', () => {
  test('draws one row for each channel with axes and a title', () => {
    const svg = drawWaveform(waveform(2, 1200), { title: 'show.wav' })
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>\n$/)
    expect(svg).toContain('>show.wav<')
    expect(svg).toContain('>2 channels, 48000 Hz, 576000 frames, 12.000 s<')
    expect(svg.match(/Z"/g)).toHaveLength(2)
    expect(svg).toContain('>0:12<')
  })

  test('places samples by amplitude, or by level in dB', () => {
    expect(outline(drawWaveform(waveform(1, 10)))).toEqual([44 + 55, 44 + 165])
    const inDecibels = outline(drawWaveform(waveform(1, 10, 10 ** (-30 / 20)), { amplitude: 'db' }))
    expect(inDecibels).toEqual([44 + 55, 44 + 165])
  })

  test('draws what is beyond full scale or no number within its row', () => {
    expect(outline(drawWaveform(waveform(1, 10, 50)))).toEqual([44, 264])
    expect(outline(drawWaveform(waveform(1, 10, Number.NaN)))).toEqual([154, 154])
    expect(outline(drawWaveform(waveform(1, 10, 0), { amplitude: 'db' }))).toEqual([154, 154])
  })

  test('stays below 300 KB with 32 channels and many bins', () => {
    expect(drawWaveform(waveform(32, 100_000)).length).toBeLessThan(BYTES_MAX)
    expect(drawWaveform(waveform(1, 100_000, 0.123456), { amplitude: 'db' }).length).toBeLessThan(BYTES_MAX)
  })

  test('draws audio without frames', () => {
    const svg = drawWaveform({
      sampleRate: 8000,
      frames: 0,
      channels: 1,
      bins: [{ min: new Float32Array(0), max: new Float32Array(0) }]
    })
    expect(svg).not.toContain('NaN')
    expect(svg).toContain('0.000 s')
  })

  test('makes any name safe to be a title', () => {
    const svg = drawWaveform(waveform(1, 1), { title: '</text><script>&"\u0000\ud800' })
    expect(svg).toContain('&lt;/text&gt;&lt;script&gt;&amp;&quot;��<')
    expect(drawWaveform(waveform(1, 1), { title: 'x'.repeat(1e6) }).length).toBeLessThan(BYTES_MAX)
  })

  test('refuses bins that are not those of its channels', () => {
    expect(() => drawWaveform({ ...waveform(2, 1), channels: 3 })).toThrow(RangeError)
  })
})
