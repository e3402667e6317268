interface Place {
  readonly item: number
  order: number
  index: number
}

/** A priority queue of numbers, lowest `order` first, from which any item can be removed. Each step takes O(log n). */
export class LeaseQueue {
  readonly #heap: Place[] = []
  readonly #places = new Map<number, Place>()

  get size(): number {
    return this.#heap.length
  }

  has(item: number): boolean {
    return this.#places.has(item)
  }

  /** Adds an item, or moves it when it is in the queue already. */
  push(item: number, order: number): void {
    this.remove(item)
    const place = { item, order, index: this.#heap.length }
    this.#heap.push(place)
    this.#places.set(item, place)
    this.#rise(place)
  }

  /** The lowest item and its order, which stays in the queue. */
  peek(): { readonly item: number; readonly order: number } | undefined {
    return this.#heap[0]
  }

  pop(): number | undefined {
    const first = this.#heap[0]
    if (first === undefined) return undefined
    this.remove(first.item)
    return first.item
  }

  /** @returns whether the item was there. */
  remove(item: number): boolean {
    const place = this.#places.get(item)
    if (place === undefined) return false
    this.#places.delete(item)
    const last = this.#heap.pop()
    if (last === undefined || last === place) return true
    this.#put(last, place.index)
    this.#rise(last)
    this.#sink(last)
    return true
  }

  #put(place: Place, index: number): void {
    place.index = index
    this.#heap[index] = place
  }

  #rise(place: Place): void {
    while (place.index > 0) {
      const parent = this.#heap[(place.index - 1) >> 1]
      if (parent === undefined || parent.order <= place.order) return
      this.#swap(parent, place)
    }
  }

  #sink(place: Place): void {
    for (;;) {
      const left = this.#heap[2 * place.index + 1]
      const right = this.#heap[2 * place.index + 2]
      const child = right !== undefined && left !== undefined && right.order < left.order ? right : left
      if (child === undefined || child.order >= place.order) return
      this.#swap(place, child)
    }
  }

  #swap(a: Place, b: Place): void {
    const index = a.index
    this.#put(a, b.index)
    this.#put(b, index)
  }
}
