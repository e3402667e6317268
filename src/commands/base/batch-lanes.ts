/**
 * Runs a thing for each item, so many side by side, in the order of the items.
 *
 * @param count at least 1
 * @param isOver asked before each item: then it and all that follow are left out
 * @returns what came of each item; undefined for those that were left out
 * @throws what `run` throws, once the others that run have ended; none begins after it
 */
export async function runInLanes<Item, Outcome>(
  items: readonly Item[],
  count: number,
  run: (item: Item) => Promise<Outcome>,
  isOver: () => boolean
): Promise<readonly (Outcome | undefined)[]> {
  const outcomes = new Array<Outcome | undefined>(items.length).fill(undefined)
  const queue = items.entries()
  let failed = false
  const lane = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failed || isOver()) return
      try {
        outcomes[index] = await run(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: Math.min(count, items.length) }, lane))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return outcomes
}
