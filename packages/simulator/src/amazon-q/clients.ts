import type { SimulatedClock } from '../service/clock.ts'

/** A client that may sign people in. */
export interface Client {
  readonly clientId: string
  readonly clientSecret: string
  /** On the simulator's clock. */
  readonly issuedAt: number
  expiresAt: number
}

export interface Clients {
  register(expiresInMs: number): Client
  /** The client of that name and secret, if its registration has not expired. */
  live(clientId: unknown, clientSecret: unknown): Client | undefined
  find(clientId: string): Client | undefined
  all(): readonly Client[]
  reset(): void
}

const MAX_KEPT = 1000

export function createClients(clock: SimulatedClock): Clients {
  let clients: Client[] = []
  let count = 0
  return {
    register(expiresInMs) {
      count++
      const issuedAt = clock.now()
      const client = {
        clientId: `client_${count}`,
        clientSecret: `secret_of_client_${count}`,
        issuedAt,
        expiresAt: issuedAt + expiresInMs,
      }
      if (clients.push(client) > MAX_KEPT) clients.shift()
      return client
    },
    live: (clientId, clientSecret) =>
      clients.find(
        client =>
          client.clientId === clientId && client.clientSecret === clientSecret && clock.now() < client.expiresAt,
      ),
    find: clientId => clients.find(client => client.clientId === clientId),
    all: () => clients,
    reset() {
      clients = []
      count = 0
    },
  }
}
