import type { ForecastLimit } from './forecast-types.ts'
import type { Forecast } from './planner-forecast.ts'

/** A ratio below this is not told. */
const TOLD_RATIO = 1.05

/** Who takes part in a forecast. */
export interface ForecastCrowd {
  readonly peers: number
  /** Of these, on this machine. */
  readonly sameMachine: number
  readonly cores: number
}

/** Two sentences: which way is faster and by how much, and what limits it. */
export function forecastText(plan: Forecast, crowd: ForecastCrowd): string {
  return `${verdict(plan, crowd)} ${reason(plan, crowd)}`
}

function verdict({ aloneMs, swarmMs, speedup, faster, limit }: Forecast, { peers }: ForecastCrowd): string {
  if (limit === 'asked') return 'All work stays here, as asked.'
  if (peers === 0) return 'All work stays here.'
  if (faster === 'neither') return 'Alone and with the swarm take about as long.'
  const gain = Math.abs(aloneMs - swarmMs)
  if (faster === 'swarm') return `The swarm is faster: ${times(speedup)} as fast as alone, ${saved(gain)} less.`
  const longer = 1 / speedup >= TOLD_RATIO ? `${times(1 / speedup)} as long, ` : ''
  return `Working alone is faster: the swarm would take ${longer}${saved(gain)} more.`
}

function reason({ limit, shippedShare }: Forecast, { peers, sameMachine, cores }: ForecastCrowd): string {
  const share = `${Math.round(shippedShare * 100)} % of the work would go to ${count(peers, 'peer')}`
  const texts: Readonly<Record<ForecastLimit, string>> = {
    asked: 'No peer is asked.',
    'no-peers': 'No peer is connected.',
    latency: 'It is over before a first result of a peer could be here.',
    'shared-cores': `${sameMachine === 1 ? 'The peer runs' : `The ${sameMachine} peers run`} on this machine and ${sameMachine === 1 ? 'shares' : 'share'} its ${count(cores, 'core')}, so nothing is added but the cost of moving and checking.`,
    transport: 'Shipping costs this machine more time than the work itself, so each peer gets only a probe.',
    checks: `${share}; what limits it is that this machine checks and moves their results.`,
    uplink: `${share}; what limits it is the link of this machine.`,
    links: `${share}; what limits it is the links of the peers.`,
    compute: `${share}; what limits it is the kernels.`
  }
  const some =
    sameMachine > 0 && limit !== 'shared-cores' && limit !== 'asked'
      ? ` ${sameMachine} of ${count(peers, 'peer')} ${sameMachine === 1 ? 'shares' : 'share'} this machine's cores and ${sameMachine === 1 ? 'adds' : 'add'} none.`
      : ''
  return `${texts[limit]}${some}`
}

function times(ratio: number): string {
  return `${ratio < 10 ? ratio.toFixed(1) : Math.round(ratio)} times`
}

function saved(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}

function count(things: number, name: string): string {
  return `${things} ${name}${things === 1 ? '' : 's'}`
}
