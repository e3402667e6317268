/** Plans kept at once: jobs that a thread works on in turn. */
const PLANS_MAX = 8

/** Keeps what was made of the parameters of the last few jobs, since a thread gets chunks of several in turn. */
export class RecentPlans<Plan> {
  readonly #make: (params: Uint8Array) => Plan
  /** By parameters; the one used longest ago first. */
  readonly #plans = new Map<string, Plan>()

  /** @param make pure */
  constructor(make: (params: Uint8Array) => Plan) {
    this.#make = make
  }

  /** @throws what `make` throws */
  of(params: Uint8Array): Plan {
    const key = new TextDecoder('latin1').decode(params)
    const plan = this.#plans.get(key) ?? this.#make(params)
    this.#plans.delete(key)
    this.#plans.set(key, plan)
    const oldest = this.#plans.keys().next()
    if (this.#plans.size > PLANS_MAX && oldest.done !== true) this.#plans.delete(oldest.value)
    return plan
  }
}
