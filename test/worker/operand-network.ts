import type { GrantOperand, OperandChanges } from '../../protocols/lease/types.ts'
import type { OperandClient, OperandHandler } from '../../protocols/operand/types.ts'
import { OperandStore } from '../../src/worker/operand-store.ts'
import type { Random } from '../sim/random.ts'
import { fakePeerId } from '../support/fake-peer.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'
import { aborted, JOB_ID } from './fake-submitter.ts'
import { BLOCK_BYTES, blockBytes, hashShared, operand, SUBMITTER } from './operand-harness.ts'
import { VirtualUplink } from './operand-uplink.ts'

/** A block of 4 MiB takes as long as this on an uplink of 100 Mbit/s; here it is smaller and the uplink slower. */
const BLOCK_MS = (4 * 1024 * 1024) / 12_500
const RANGES_PER_BLOCK = 4
const HOLDERS_MAX = 3
const LEASES_AT_ONCE = 4

interface Member {
  readonly handler: OperandHandler
  readonly uplink: VirtualUplink
  readonly latencyMs: number
}

/**
 * A submitter and some workers with equal uplinks, in virtual time. The submitter knows who was granted which block and
 * who told that it has it, and names holders in its grants: those that have the block first, then those who were named least.
 */
export class OperandNetwork {
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #members = new Map<string, Member>()
  readonly #holders = new Map<number, Map<string, { has: boolean; named: number }>>()
  readonly #namesHolders: boolean

  /** @param namesHolders false makes all fetch from the submitter alone */
  constructor(clock: VirtualClock, random: Random, namesHolders: boolean) {
    this.#clock = clock
    this.#random = random
    this.#namesHolders = namesHolders
    this.#add(SUBMITTER, {
      read: async (_peerId, { hash, offset, byteLength }) =>
        blockBytes(this.#blockNumber(hash)).slice(offset, offset + byteLength)
    })
  }

  get submitterSentBytes(): number {
    return this.#members.get(SUBMITTER)?.uplink.sentBytes ?? 0
  }

  /** A worker that runs these leases, four at a time, each as long as its blocks take to come. */
  async runWorker(name: string, leases: readonly (readonly number[])[]): Promise<OperandStore> {
    const store = new OperandStore({
      selfPeerId: name,
      clock: this.#clock,
      bytesMax: 64 * BLOCK_BYTES,
      hash: hashShared,
      open: (peerId, { signal }) => this.#open(name, peerId, signal),
      onEvent: ({ reason }) => {
        throw new Error(reason)
      },
      onChanges: (changes) => this.#onChanges(name, changes)
    })
    this.#add(name, store)
    const left = [...leases]
    const slot = async (): Promise<void> => {
      for (let lease = left.shift(); lease !== undefined; lease = left.shift()) {
        const grant = { jobId: JOB_ID, operands: lease.map((index) => this.#grant(name, index)), submitter: SUBMITTER }
        const loan = await store.acquire(grant, { signal: new AbortController().signal })
        loan.release()
      }
    }
    await Promise.all(Array.from({ length: LEASES_AT_ONCE }, slot))
    return store
  }

  #add(name: string, handler: OperandHandler): void {
    const uplink = new VirtualUplink(this.#clock, BLOCK_BYTES / BLOCK_MS)
    this.#members.set(name, { handler, uplink, latencyMs: this.#random.between(1, 30) })
  }

  #grant(name: string, index: number): GrantOperand {
    const known = this.#holders.get(index) ?? new Map<string, { has: boolean; named: number }>()
    this.#holders.set(index, known)
    const others = [...known].filter(([peerId]) => peerId !== name && this.#namesHolders)
    const byWorth = others.sort(([, left], [, right]) => {
      return Number(right.has) - Number(left.has) || left.named - right.named
    })
    const [first] = byWorth
    if (first !== undefined) first[1].named += 1
    if (!known.has(name)) known.set(name, { has: false, named: 0 })
    return operand(
      index,
      byWorth.slice(0, HOLDERS_MAX).map(([peerId]) => peerId)
    )
  }

  #onChanges(name: string, { added, dropped }: OperandChanges): void {
    for (const index of added) this.#holders.get(index)?.set(name, { has: true, named: 0 })
    for (const index of dropped) this.#holders.get(index)?.delete(name)
  }

  async #open(from: string, to: string, signal: AbortSignal): Promise<OperandClient> {
    const member = this.#members.get(to)
    if (member === undefined) throw new Error(`there is no ${to}`)
    await this.#clock.sleep(member.latencyMs, { signal })
    return {
      peerId: fakePeerId(to),
      signal: new AbortController().signal,
      pull: (hash, into, options) => this.#pull(from, member, hash, into, options),
      close: async () => undefined
    }
  }

  async #pull(
    from: string,
    { handler, uplink, latencyMs }: Member,
    hash: Uint8Array,
    into: Uint8Array,
    { signal, onBytes }: { signal: AbortSignal; onBytes?: (received: number) => void }
  ): Promise<void> {
    const byteLength = into.byteLength / RANGES_PER_BLOCK
    let received = 0
    const ranges = Array.from({ length: RANGES_PER_BLOCK }, async (_, part) => {
      const offset = part * byteLength
      await this.#clock.sleep(latencyMs, { signal })
      const bytes = await handler.read(fakePeerId(from), { hash, offset, byteLength }, { signal, held: signal })
      await uplink.send(byteLength, signal, (sliceBytes) => {
        received += sliceBytes
        onBytes?.(received)
      })
      await this.#clock.sleep(latencyMs, { signal })
      into.set(bytes, offset)
    })
    await Promise.race([Promise.all(ranges), aborted(signal)])
  }

  #blockNumber(hash: Uint8Array): number {
    const name = Buffer.from(hash).toString('hex')
    return blockNumbers.get(name) ?? -1
  }
}

const blockNumbers = new Map(
  Array.from({ length: 64 }, (_, index) => [Buffer.from(operand(index).hash).toString('hex'), index])
)
