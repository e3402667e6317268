import type { SilencePlan, VoicePlan } from '../wav-plan.ts'
import { reduceLevels, type SilenceReport } from './silence-report.ts'
import { formatLabels, formatSilenceJson, formatSpans } from './silence-text.ts'
import { reduceVoice, type VoiceReport } from './voice-report.ts'
import { VOICE_RATE, VOICE_WINDOW } from './voice-windows.ts'

/** What a job that listens gives. */
export interface ListeningFindings<Figures> {
  readonly figures: Figures
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[]
  /** The report as JSON, which is the job's result. */
  readonly content: Uint8Array
}

/** Figures of a silence job: its report without the lists. */
type SilenceFigures = Pick<
  SilenceReport,
  'duration' | 'settings' | 'silentSeconds' | 'soundSeconds' | 'bridgedBursts'
> & {
  readonly silences: number
  readonly sounds: number
}

/** Figures of a voice job. */
type VoiceFigures = Pick<VoiceReport, 'duration' | 'settings' | 'speechSeconds'> & { readonly stretches: number }

/** File name of the label track. */
export const LABELS_NAME = 'labels.txt'

/** @param levels of all segments, in order */
export function findSilence(
  { source, settings }: SilencePlan,
  levels: Iterable<Uint8Array>
): ListeningFindings<SilenceFigures> {
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

/** @param flags of all windows, in order */
export function findVoice({ source }: VoicePlan, flags: Iterable<Uint8Array>): ListeningFindings<VoiceFigures> {
  const report = reduceVoice(source, VOICE_WINDOW / VOICE_RATE, flags)
  const { duration, settings, speech, speechSeconds } = report
  const text = new TextEncoder()
  return {
    figures: { duration, settings, speechSeconds, stretches: speech.length },
    files: [{ name: LABELS_NAME, bytes: text.encode(formatSpans(speech, 'speech')) }],
    content: text.encode(`${JSON.stringify(report, undefined, 2)}\n`)
  }
}
