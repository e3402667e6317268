import type { Startable } from '@libp2p/interface'
import { type AdvertComponents, type AdvertInit, Adverts } from './service.ts'
import type { AdvertService } from './types.ts'

/** The advert protocol as a libp2p service. The node needs gossipsub as its service `pubsub`. */
export function advertService(init: AdvertInit): (components: AdvertComponents) => AdvertService & Startable {
  return (components) => new Adverts(components, init)
}

export * from './constants.ts'
export type { AdvertComponents, AdvertInit } from './service.ts'
export type * from './types.ts'
