/** Makes a view over all of a buffer, and keeps it while the buffer stays the same: none is made per block. */
export class WholeView<View> {
  readonly #make: (buffer: ArrayBufferLike, length: number) => View
  readonly #itemBytes: number
  #buffer: ArrayBufferLike | undefined
  #view: View | undefined

  /** @param itemBytes of one element. @param make gives a view of `length` elements from the buffer's first byte on */
  constructor(itemBytes: number, make: (buffer: ArrayBufferLike, length: number) => View) {
    this.#itemBytes = itemBytes
    this.#make = make
  }

  /** @returns a view of as many whole elements as the buffer holds */
  over(buffer: ArrayBufferLike): View {
    if (this.#view === undefined || this.#buffer !== buffer) {
      this.#view = this.#make(buffer, Math.floor(buffer.byteLength / this.#itemBytes))
      this.#buffer = buffer
    }
    return this.#view
  }
}
