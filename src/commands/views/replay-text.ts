import type { ElementDifferences, JobDetail, JobFigures, ReplayView } from '../../app/api-types.ts'
import { printable } from '../../cli/printable.ts'
import { formatBytes, formatCount, formatDurationMs, formatPercent } from '../../cli/quantities.ts'
import { formatTable } from '../../cli/table.ts'
import { formatThroughput } from './figures-text.ts'

/** What `swarm jobs replay` shows once the new job is done. */
export function formatReplay(view: ReplayView): string {
  return [formatComparison(view), '', formatResult(view), ...formatCaution(view)].join('\n')
}

function formatComparison({ original, replay, ratios }: ReplayView): string {
  const row = (name: string, show: (figures: JobFigures) => string, ratio?: number) => [
    name,
    shown(original, show),
    shown(replay, show),
    ratio === undefined ? '' : `${ratio.toFixed(2)}×`
  ]
  return formatTable(
    [
      { title: '' },
      { title: 'original', align: 'right' },
      { title: 'replay', align: 'right' },
      { title: 'ratio', align: 'right' }
    ],
    [
      ['job', original.jobId, replay.jobId, ''],
      row('kernel', ({ kernelId }) => kernelId),
      row('total', ({ totalMs }) => formatDurationMs(totalMs), ratios.totalMs),
      row('throughput', formatThroughput, ratios.unitsPerSecond),
      row('efficiency', ({ efficiency }) => formatPercent(efficiency), ratios.efficiency),
      row('chunks', ({ chunks, localChunks }) => `${formatCount(chunks)} (${formatCount(localChunks)} here)`),
      row('per chunk', ({ averageChunkMs }) => formatDurationMs(averageChunkMs), ratios.averageChunkMs),
      row('peers', ({ peerCount }) => formatCount(peerCount))
    ]
  )
}

function shown({ figures }: JobDetail, show: (figures: JobFigures) => string): string {
  return figures === undefined ? '–' : show(figures)
}

function formatResult({ result, mustBeEqual }: ReplayView): string {
  if (!result.compared) return `result: not compared, ${printable(result.reason)}`
  if (result.equal) return `result: equal, all ${formatCount(result.originalBytes)} bytes`
  const lengths =
    result.originalBytes === result.replayBytes
      ? `of ${formatBytes(result.originalBytes)}`
      : `(${formatCount(result.originalBytes)} bytes then, ${formatCount(result.replayBytes)} now)`
  const words = mustBeEqual ? 'DIFFERENT, and must not be' : 'different, as this kernel may be'
  const where = `result: ${words}: first at byte ${formatCount(result.firstDifferenceByte ?? 0)} ${lengths}`
  return result.elements === undefined ? where : `${where}\n${formatElements(result.elements)}`
}

function formatElements({
  compared,
  differing,
  largestAbsolute,
  largestRelative,
  notFinite
}: ElementDifferences): string {
  const beyond = notFinite === 0 ? '' : `, ${formatCount(notFinite)} of them NaN or infinite`
  return (
    `elements: ${formatCount(differing)} of ${formatCount(compared)} differ${beyond}; ` +
    `largest difference ${largestAbsolute.toExponential(2)}, relative ${largestRelative.toExponential(2)}`
  )
}

/** Kernels of two programs need not agree. */
function formatCaution({ original, replay }: ReplayView): string[] {
  if (original.figures?.kernelId === replay.figures?.kernelId) return []
  return ['the two ran with different kernels: their bytes may differ']
}
