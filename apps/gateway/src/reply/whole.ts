import type { ChunkHead, Frames } from '@millrace/core'
import type { Asked } from '@millrace/dialects'
import type { FastifyReply } from 'fastify'
import { taken } from './taken.ts'

/**
 * Sends frames as the one answer they are the stream of. Resolves when the client has taken all of it.
 * @throws what the frames throw: half an answer is none
 * @throws {GatewayError} `client_stall`, `aborted`
 */
export async function replyWithWhole(
  reply: FastifyReply,
  frames: Frames,
  asked: Asked,
  head: ChunkHead,
  stallMs: number,
  onWrite?: (bytes: Buffer) => void,
): Promise<void> {
  // As bytes: Fastify then has nothing left to find out about it.
  const body = Buffer.from(JSON.stringify(await asked.collect(frames, head)))
  onWrite?.(body)
  reply.type('application/json').send(body)
  await taken(reply.raw, 'finish', stallMs)
}
