import type { SilenceReport, TimeSpan } from './silence-report.ts'

const LABEL_DECIMALS = 6

/**
 * The report as a label track that Audacity imports: a line for each span, in order of time, of start, end and label.
 * @see https://manual.audacityteam.org/man/importing_and_exporting_labels.html
 */
export function formatLabels(report: SilenceReport): string {
  const lines = [...labelled(report.silences, 'silence'), ...labelled(report.sounds, 'sound')]
  lines.sort((one, other) => one.span.start - other.span.start)
  return lines.map(labelLine).join('')
}

/** Spans that all have one label, as {@link formatLabels} writes them. */
export function formatSpans(spans: readonly TimeSpan[], label: string): string {
  return labelled(spans, label).map(labelLine).join('')
}

function labelLine({ span, label }: { span: TimeSpan; label: string }): string {
  return `${span.start.toFixed(LABEL_DECIMALS)}\t${span.end.toFixed(LABEL_DECIMALS)}\t${label}\n`
}

/** The report as JSON, for people and programs: indented, times in seconds, a line feed at its end. */
export function formatSilenceJson(report: SilenceReport): string {
  return `${JSON.stringify(report, undefined, 2)}\n`
}

function labelled(spans: readonly TimeSpan[], label: string): { span: TimeSpan; label: string }[] {
  return spans.map((span) => ({ span, label }))
}
