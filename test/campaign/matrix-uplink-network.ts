import { spawnSync } from 'node:child_process'

/** Burst of a limited uplink: what leaves at once before the rate holds, in bytes. */
const BURST_BYTES = 64 * 1024
/** Longest queue at a limited uplink, as a time. */
const QUEUE_MS = 100
const SUBNET = '10.77.0'

/** A network namespace with one limited uplink. */
export interface Place {
  readonly address: string
  /** What runs a program in there. */
  readonly through: readonly string[]
}

/**
 * Owns network namespaces, joined by a bridge in one more, each of which sends at a limited rate. Only Linux has them, and
 * only root may make them; {@link UplinkNetwork.close} removes them all.
 */
export class UplinkNetwork {
  readonly places: readonly Place[]
  readonly #bridge = `swarm-${process.pid}`
  readonly #names: string[] = []

  /** @param megabits of each uplink per second @throws Error when the system does not permit it */
  constructor(count: number, megabits: number) {
    try {
      this.#add(this.#bridge)
      this.#inside(this.#bridge, 'ip link add br0 type bridge')
      this.#inside(this.#bridge, 'ip link set br0 up')
      this.places = Array.from({ length: count }, (_, index) => this.#makePlace(index, megabits))
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** From now on these places reach no other of them, only the rest. */
  separate(indexes: readonly number[]): void {
    for (const index of indexes) {
      this.#inside(this.#bridge, `ip link set dev port${index} type bridge_slave isolated on`)
    }
  }

  close(): void {
    for (const name of this.#names.splice(0)) spawnSync('ip', ['netns', 'del', name])
  }

  #makePlace(index: number, megabits: number): Place {
    const name = `${this.#bridge}-${index}`
    const address = `${SUBNET}.${index + 1}`
    this.#add(name)
    this.#inside(this.#bridge, `ip link add port${index} type veth peer name eth0 netns ${name}`)
    this.#inside(this.#bridge, `ip link set port${index} master br0 up`)
    this.#inside(name, 'ip link set lo up')
    this.#inside(name, `ip addr add ${address}/24 dev eth0`)
    this.#inside(name, 'ip link set eth0 up')
    const limit = `rate ${megabits}mbit burst ${BURST_BYTES} latency ${QUEUE_MS}ms`
    this.#inside(name, `tc qdisc add dev eth0 root tbf ${limit}`)
    return { address, through: ['ip', 'netns', 'exec', name] }
  }

  #add(name: string): void {
    run(['ip', 'netns', 'add', name])
    this.#names.push(name)
  }

  #inside(name: string, command: string): void {
    run(['ip', 'netns', 'exec', name, ...command.split(' ')])
  }
}

function run([program = '', ...args]: readonly string[]): void {
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`)
}
