import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Launched } from '../launch.ts'

const TIMEOUT_MS = 20_000
const STEP_MS = 50

/** A port that was free just now, for programs that want to be told one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Resolves when the process answers requests, whatever it says. @throws {Error} it has ended, or does not within 20 seconds */
export async function listening(port: number, { died }: Launched): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  while (performance.now() < deadline) {
    if (await Promise.race([answers(port), died])) return
    await sleep(STEP_MS)
  }
  throw new Error('it did not answer in time')
}

function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`)
    .then(answer => answer.bytes())
    .then(
      () => true,
      () => false,
    )
}
