/** Frames out to frames in, in lowest terms: output frame n lies at input frame n · down / up. */
export interface ResampleRatio {
  readonly up: number
  readonly down: number
}

/** A place between input frames: `frame` and `phase` / up behind it. */
export interface ResamplePlace {
  readonly frame: number
  /** 0 up to, but without, up. */
  readonly phase: number
}

/**
 * @param up integer, 1 to 1e7
 * @param down integer, 1 to 1e7
 */
export function resampleRatio(up: number, down: number): ResampleRatio {
  let divisor = up
  for (let rest = down; rest !== 0; ) {
    const next = divisor % rest
    divisor = rest
    rest = next
  }
  return { up: up / divisor, down: down / divisor }
}

/** Where an output frame lies in the input, exactly: products are kept below 2^53 by taking whole periods apart. */
export function placeOf({ up, down }: ResampleRatio, outputFrame: number): ResamplePlace {
  const periods = Math.floor(outputFrame / up)
  const inside = (outputFrame - periods * up) * down
  const frame = Math.floor(inside / up)
  return { frame: periods * down + frame, phase: inside - frame * up }
}

/** Frames of output for frames of input: rounded, halves up, as SoX does; at least one where there is input. */
export function resampledFrames({ up, down }: ResampleRatio, frames: number): number {
  const periods = Math.floor(frames / down)
  const inside = (frames - periods * down) * up
  return Math.max(Math.min(1, frames), periods * up + Math.floor((2 * inside + down) / (2 * down)))
}
