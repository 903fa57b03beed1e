import type { FastifyReply } from 'fastify'
import { taken } from './taken.ts'

/**
 * Sends one JSON answer, which may be bytes already. Resolves when the client has taken all of it.
 * @throws {GatewayError} `client_stall`, `aborted`
 */
export async function replyWithWhole(
  reply: FastifyReply,
  answer: object,
  stallMs: number,
  onWrite?: (bytes: Buffer) => void,
): Promise<void> {
  // As bytes: Fastify then has nothing left to find out about it.
  const body = Buffer.isBuffer(answer) ? answer : Buffer.from(JSON.stringify(answer))
  onWrite?.(body)
  reply.type('application/json').send(body)
  await taken(reply.raw, 'finish', stallMs)
}
