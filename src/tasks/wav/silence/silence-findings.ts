import type { SilencePlan } from '../wav-plan.ts'
import { reduceLevels, type SilenceReport } from './silence-report.ts'
import { formatLabels, formatSilenceJson } from './silence-text.ts'

/** What a silence job gives. */
export interface SilenceFindings {
  readonly figures: Pick<
    SilenceReport,
    'duration' | 'settings' | 'silentSeconds' | 'soundSeconds' | 'bridgedBursts'
  > & {
    readonly silences: number
    readonly sounds: number
  }
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  /** The report as JSON, which is the job's result. */
  readonly content: Uint8Array
}

/** File name of the label track. */
export const LABELS_NAME = 'labels.txt'

/** @param levels of all segments, in order */
export function findSilence({ source, settings }: SilencePlan, levels: Iterable<Uint8Array>): SilenceFindings {
  const report = reduceLevels(source, levels, settings)
  const { duration, silences, sounds, silentSeconds, soundSeconds, bridgedBursts } = report
  const text = new TextEncoder()
  return {
    figures: {
      duration,
      settings,
      silences: silences.length,
      sounds: sounds.length,
      silentSeconds,
      soundSeconds,
      bridgedBursts
    },
    files: [{ name: LABELS_NAME, bytes: text.encode(formatLabels(report)) }],
    content: text.encode(formatSilenceJson(report))
  }
}
