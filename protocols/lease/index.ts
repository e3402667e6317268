import type { Startable } from '@libp2p/interface'
import { Lease, type LeaseComponents, type LeaseInit } from './service.ts'
import type { LeaseService } from './types.ts'

/** The lease protocol as a libp2p service. */
export function leaseService(init: LeaseInit = {}): (components: LeaseComponents) => LeaseService & Startable {
  return (components) => new Lease(components, init)
}

export * from './constants.ts'
export type { LeaseComponents, LeaseInit } from './service.ts'
export type * from './types.ts'
