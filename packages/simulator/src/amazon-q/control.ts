import { createServiceControl } from '../service/control.ts'
import type { ServiceControl } from '../service/control.ts'
import type { Client } from './clients.ts'
import type { ExceptionName } from './exceptions.ts'
import type { OperationName } from './operations.ts'
import { findScript } from './scripts.ts'
import type { AccessKey } from './signature.ts'
import type { AmazonQTypes, ServiceSettings, World } from './world.ts'

/**
 * What can be done to the simulator of Amazon Q. Limits, exhaustion, suspension and scripts are for chats; a credential
 * may also be the id of an access key. Where no error is named, those that are exhausted get `monthly`, and those that
 * are suspended `suspended`. A word in the name of an account to which tokens are issued says of what kind it is.
 */
export interface AmazonQControl extends ServiceControl<AmazonQTypes> {
  /** What all get who ask for an operation, instead of its answer; that again, where null. */
  failOperation(what: { readonly operation: OperationName; readonly error: ExceptionName | null }): void
  setService(settings: Partial<ServiceSettings>): void
  /** A key with which requests may be signed; instead of one that has the same id. */
  setAccessKey(key: AccessKey): void
  /** Takes a key away. */
  removeAccessKey(what: Pick<AccessKey, 'accessKeyId'>): void
  /** Registers a client without asking the service. Seconds. */
  registerClient(wish?: { readonly expiresIn?: number }): Client
  /** Ends a registration. */
  expireClient(what: Pick<Client, 'clientId'>): void
}

export function createControl(world: World, resetNumbers: () => void): AmazonQControl {
  const usual = { exhausted: 'monthly', suspended: 'suspended' } as const
  return {
    ...createServiceControl<AmazonQTypes>(world, { findScript, usual, resetNumbers }),
    failOperation({ operation, error }) {
      if (error === null) world.failures.delete(operation)
      else world.failures.set(operation, error)
    },
    setService: settings => void Object.assign(world.service, settings),
    setAccessKey: key => void world.accessKeys.set(key.accessKeyId, key),
    removeAccessKey: ({ accessKeyId }) => void world.accessKeys.delete(accessKeyId),
    registerClient: ({ expiresIn = world.signIn.clientExpiresIn } = {}) => world.clients.register(expiresIn * 1000),
    expireClient({ clientId }) {
      const client = world.clients.find(clientId)
      if (client !== undefined) client.expiresAt = world.clock.now()
    },
  }
}
