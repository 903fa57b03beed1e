import { EmbeddingsRequest, GatewayError, type EmbeddingsResult, type JsonSource } from '@millrace/core'
import { readBody } from '@millrace/dialects'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { AppDeps } from '../app.ts'
import { replyWithWhole } from '../reply/whole.ts'
import { serveCall } from './serve-call.ts'

/** `POST /v1/embeddings`: as numbers or, as the SDKs ask for, in base64, whatever the upstream gives. */
export function embeddingsRoute(app: FastifyInstance, deps: AppDeps): void {
  app.post('/v1/embeddings', (request, reply) => embed(request, reply, deps))
}

async function embed(request: FastifyRequest, reply: FastifyReply, deps: AppDeps): Promise<FastifyReply> {
  const source = request.body as JsonSource
  const asked = readBody(EmbeddingsRequest, source.value)
  const target = deps.router.resolve(asked.model)
  const { provider, name } = target.route
  if (provider.embeddings === undefined) {
    throw new GatewayError('model_not_found', `The provider "${name}" makes no embeddings.`, { param: 'model' })
  }
  const facts = { dialect: 'embeddings', model: asked.model, target, stream: false, user: asked.user }
  return serveCall(request, reply, deps, facts, async (call, outcome) => {
    const result = await provider.embeddings!(asked, call)
    const usage = result.usage ?? estimateOf(source.byteLength)
    outcome.usage = { ...usage, completion_tokens: 0 }
    outcome.estimated = result.usage === undefined
    const answer = toAnswer(result, asked, usage)
    const onWrite = deps.trace && ((bytes: Buffer) => deps.trace?.out(request.id, bytes))
    await replyWithWhole(reply, answer, deps.stream.stallMs, onWrite)
  })
}

function toAnswer(
  { embeddings }: EmbeddingsResult,
  { model, encoding_format: format }: EmbeddingsRequest,
  usage: NonNullable<EmbeddingsResult['usage']>,
): object {
  const encode = format === 'base64' ? toBase64 : (numbers: readonly number[]) => numbers
  return {
    object: 'list',
    data: embeddings.map((numbers, index) => ({ object: 'embedding', index, embedding: encode(numbers) })),
    model,
    usage,
  }
}

/** Numbers as 32-bit floats, little-endian. */
function toBase64(numbers: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(numbers.length * 4)
  for (const [at, number] of numbers.entries()) bytes.writeFloatLE(number, at * 4)
  return bytes.toString('base64')
}

/** About as much text makes one token, bytes of UTF-8. */
const BYTES_PER_TOKEN = 4

function estimateOf(promptBytes: number): NonNullable<EmbeddingsResult['usage']> {
  const prompt_tokens = Math.ceil(promptBytes / BYTES_PER_TOKEN)
  return { prompt_tokens, total_tokens: prompt_tokens }
}
