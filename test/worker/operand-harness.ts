import type { GrantOperand, OperandChanges } from '../../protocols/lease/types.ts'
import type { OperandClient } from '../../protocols/operand/types.ts'
import { RefusalCode, WireError } from '../../protocols/wire/wire-error.ts'
import type { OperandRefused } from '../../src/worker/operand-fetch.ts'
import { OperandStore, type OperandStorePorts } from '../../src/worker/operand-store.ts'
import { sha256 } from '../support/fake-compute.ts'
import { fakePeerId } from '../support/fake-peer.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { aborted, JOB_ID } from './fake-submitter.ts'

export const SUBMITTER = 'submitter'
export const BLOCK_BYTES = 64 * 1024

/** Content that differs from number to number. */
export function blockBytes(number: number, byteLength: number = BLOCK_BYTES): Uint8Array {
  const bytes = new Uint8Array(byteLength).fill(number & 0xff)
  bytes[0] = number >>> 8
  return bytes
}

/** A block as a grant names it; its content is that of its index. */
export function operand(index: number, holders: readonly string[] = [], byteLength = BLOCK_BYTES): GrantOperand {
  return { index, hash: sha256(blockBytes(index, byteLength)), byteLength, holders }
}

export const hashShared: OperandStorePorts['hash'] = async ({ buffer, byteLength }) =>
  sha256(new Uint8Array(buffer, 0, byteLength).slice())

type Conduct = 'honest' | 'lying' | 'refusing' | 'stalling' | 'dying' | 'closed' | 'slow' | 'late'

/** A peer with all blocks, who gives them as the test says. Slow ones give half, wait a second, and give the rest. */
export class FakeHolder {
  readonly name: string
  conduct: Conduct
  readonly asked: string[] = []
  /** How often a late holder says that a block is still on its way to it. */
  lateTimes = 3
  pulling = 0
  pullingMost = 0
  readonly #world: FakeHolders

  constructor(name: string, conduct: Conduct, world: FakeHolders) {
    this.name = name
    this.conduct = conduct
    this.#world = world
  }

  client(): OperandClient {
    if (this.conduct === 'closed') throw new WireError('STREAM_ENDED', `${this.name} cannot be reached`)
    return {
      peerId: fakePeerId(this.name),
      signal: new AbortController().signal,
      pull: async (hash, into, options) => {
        this.pulling += 1
        this.pullingMost = Math.max(this.pullingMost, this.pulling)
        try {
          await this.#pull(hash, into, options)
        } finally {
          this.pulling -= 1
        }
      },
      close: async () => undefined
    }
  }

  async #pull(
    hash: Uint8Array,
    into: Uint8Array,
    { signal, onBytes }: { signal: AbortSignal; onBytes?: (received: number) => void }
  ): Promise<void> {
    const key = Buffer.from(hash).toString('hex')
    this.asked.push(key)
    this.#world.order.push({ peerId: this.name, key })
    const half = into.byteLength / 2
    if (this.conduct === 'refusing') {
      throw new WireError('REFUSED', 'not here', { refusal: RefusalCode.inputUnavailable })
    }
    if (this.conduct === 'late' && this.asked.length <= this.lateTimes) {
      throw new WireError('REFUSED', 'on its way', { refusal: RefusalCode.busy })
    }
    if (this.conduct === 'stalling') return aborted(signal)
    const bytes = this.#world.contents.get(key) ?? new Uint8Array(into.byteLength)
    into.set(bytes.subarray(0, half))
    onBytes?.(half)
    if (this.conduct === 'dying') throw new WireError('STREAM_ENDED', `${this.name} went away`)
    if (this.conduct === 'slow') await this.#world.clock.sleep(1_000, { signal })
    signal.throwIfAborted()
    into.set(bytes.subarray(half), half)
    if (this.conduct === 'lying') into[into.byteLength - 1] = (into.at(-1) ?? 0) ^ 1
    onBytes?.(into.byteLength)
  }
}

/** Some holders, and a store that fetches from them on a virtual clock. */
export class FakeHolders {
  readonly clock = new VirtualClock()
  readonly contents = new Map<string, Uint8Array>()
  readonly order: { readonly peerId: string; readonly key: string }[] = []
  readonly events: OperandRefused[] = []
  readonly changes: OperandChanges[] = []
  readonly store: OperandStore
  readonly #holders = new Map<string, FakeHolder>()

  constructor(conducts: Readonly<Record<string, Conduct>>, changes: Partial<OperandStorePorts> = {}) {
    for (const [name, conduct] of Object.entries({ [SUBMITTER]: 'honest' as const, ...conducts })) {
      this.#holders.set(name, new FakeHolder(name, conduct, this))
    }
    for (let index = 0; index < 64; index++) {
      const { hash } = operand(index)
      this.contents.set(Buffer.from(hash).toString('hex'), blockBytes(index))
    }
    this.store = new OperandStore({
      selfPeerId: 'self',
      clock: this.clock,
      bytesMax: 64 * BLOCK_BYTES,
      hash: hashShared,
      open: async (peerId) => this.holder(peerId).client(),
      onEvent: (event) => this.events.push(event),
      onChanges: (told) => this.changes.push(told),
      ...changes
    })
  }

  holder(name: string): FakeHolder {
    const holder = this.#holders.get(name)
    if (holder === undefined) throw new WireError('STREAM_ENDED', `there is no ${name}`)
    return holder
  }

  acquire(operands: readonly GrantOperand[], options: { signal?: AbortSignal; onBytes?: (n: number) => void } = {}) {
    const { signal = new AbortController().signal, onBytes = () => undefined } = options
    return this.store.acquire({ jobId: JOB_ID, operands, submitter: SUBMITTER }, { signal, onBytes })
  }

  /** Pulls a range and lets the block go, unless it is to be held. */
  async read(
    peerId: string,
    index: number,
    options: { offset?: number; byteLength?: number; signal?: AbortSignal; held?: AbortSignal } = {}
  ): Promise<Uint8Array> {
    const { offset = 0, byteLength = BLOCK_BYTES, signal = new AbortController().signal } = options
    const pulled = new AbortController()
    const range = { hash: operand(index).hash, offset, byteLength }
    const held = options.held ?? pulled.signal
    const bytes = await this.store.read(fakePeerId(peerId), range, { signal, held })
    if (options.held !== undefined) return bytes
    const copy = bytes.slice()
    pulled.abort()
    return copy
  }
}
