import { createHash } from 'node:crypto'
import { type Identity, identityFromSeed } from '../../src/store/identity.ts'

/** @returns the same identity for the same name, so that failing cases can be repeated. */
export function testIdentity(name: string): Identity {
  return identityFromSeed(createHash('sha256').update(`test identity ${name}`).digest())
}
