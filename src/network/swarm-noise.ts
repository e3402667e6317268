import { type NoiseComponents, type NoiseExtensions, noise } from '@chainsafe/libp2p-noise'
import type { ConnectionEncrypter, SecureConnectionOptions, SecuredConnection } from '@libp2p/interface'
import { markRefusal } from './membership.ts'
import { noiseCrypto } from './noise-crypto.ts'
import { tuneConnection } from './tuned-connection.ts'

/** libp2p's Noise with the swarm's gate (the prologue) and the tuned way of bulk data. */
export function swarmNoise(
  prologueBytes: Uint8Array
): (components: NoiseComponents) => ConnectionEncrypter<NoiseExtensions> {
  return (components) => {
    const encrypter = noise({ crypto: noiseCrypto, prologueBytes })(components)
    const secure = (direction: 'secureInbound' | 'secureOutbound') => {
      const original = encrypter[direction].bind(encrypter)
      return async (
        connection: Parameters<typeof original>[0],
        options?: SecureConnectionOptions
      ): Promise<SecuredConnection<NoiseExtensions>> => {
        let secured: SecuredConnection<NoiseExtensions>
        try {
          secured = await original(connection, options)
        } catch (error) {
          throw direction === 'secureOutbound' ? markRefusal(error) : error
        }
        tuneConnection(connection, secured.connection)
        return secured
      }
    }
    return Object.assign(encrypter, {
      secureInbound: secure('secureInbound'),
      secureOutbound: secure('secureOutbound')
    })
  }
}
