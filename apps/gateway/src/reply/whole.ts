import type { ChunkHead, Frames } from '@millrace/core'
import { collect } from '@millrace/sse-core'
import type { FastifyReply } from 'fastify'

/** Sends frames as the one completion they are the stream of. @throws what the frames throw: half an answer is none */
export async function replyWithWhole(
  reply: FastifyReply,
  frames: Frames,
  head: ChunkHead,
  onWrite?: (bytes: Buffer) => void,
): Promise<void> {
  // As bytes: Fastify then has nothing left to find out about it.
  const body = Buffer.from(JSON.stringify(await collect(frames, head)))
  onWrite?.(body)
  await reply.type('application/json').send(body)
}
