import {
  GatewayError,
  isObject,
  UpstreamError,
  type EmbeddingsCall,
  type EmbeddingsRequest,
  type EmbeddingsResult,
} from '@millrace/core'
import { ask, type Service } from './ask.ts'
import { readJson } from './read-json.ts'
import { encodeBody, withRules, type MemberRules } from './request.ts'

/** 2048 embeddings of 3072 numbers, 20 characters each, are about twice as much. */
const MAX_BYTES = 256 * 1024 * 1024

export interface EmbeddingsRules extends MemberRules {
  /** How many inputs the upstream takes at once; more are asked for in turns. */
  readonly maxInputs: number
  /** Whether the upstream takes inputs that are tokens already. */
  readonly tokens: boolean
}

type Embedding = readonly number[]

/**
 * The embeddings of all inputs, in their order, as numbers whatever the client wants. More inputs than the upstream takes
 * are asked for in turns, and their usage is added up.
 * @throws {GatewayError} `invalid_value`: tokens, which the upstream does not take
 * @throws {UpstreamError} what it reports; `upstream_malformed` where it does not give one embedding for each input
 */
export async function readEmbeddings(
  service: Service,
  request: EmbeddingsRequest,
  call: EmbeddingsCall,
  rules: EmbeddingsRules,
): Promise<EmbeddingsResult> {
  const inputs = toInputs(request.input)
  if (!rules.tokens && inputs.some(input => typeof input !== 'string')) {
    throw new GatewayError('invalid_value', 'This upstream takes texts, not tokens.', { param: 'input' })
  }
  const embeddings: Embedding[] = []
  let usage: EmbeddingsResult['usage']
  for (let at = 0; at < inputs.length; at += rules.maxInputs) {
    const batch = inputs.slice(at, at + rules.maxInputs)
    // What fits goes as it came: a single text stays a single text.
    const input = batch.length === inputs.length ? request.input : batch
    const edits = { model: call.model, input, encoding_format: 'float' }
    const body = encodeBody(request, call, withRules(edits, request, rules))
    const answer = await readJson(await ask(service, 'embeddings', body, { ...call, stream: false }), MAX_BYTES)
    embeddings.push(...toEmbeddings(answer, batch.length))
    usage = add(usage, answer)
  }
  return { embeddings, usage }
}

type Input = string | readonly number[]

function toInputs(input: EmbeddingsRequest['input']): readonly Input[] {
  if (typeof input === 'string') return [input]
  return isTokens(input) ? [input] : input
}

function isTokens(input: readonly (string | number | readonly number[])[]): input is readonly number[] {
  return typeof input[0] === 'number'
}

function toEmbeddings(answer: unknown, count: number): readonly Embedding[] {
  const list = isObject(answer) ? answer['data'] : undefined
  const embeddings: (Embedding | undefined)[] = Array.from({ length: count })
  for (const [at, entry] of (Array.isArray(list) ? list : []).entries()) {
    const index = isObject(entry) ? (entry['index'] ?? at) : undefined
    if (typeof index === 'number' && index in embeddings) embeddings[index] = toEmbedding(entry['embedding'])
  }
  if (!embeddings.every(embedding => embedding !== undefined)) {
    throw new UpstreamError('upstream_malformed', 'The upstream did not give one embedding for each input.')
  }
  return embeddings
}

/** Numbers as they are; packed ones (little-endian, 32 bits each, base64) unpacked, as some send them whatever was asked. */
function toEmbedding(value: unknown): Embedding | undefined {
  if (Array.isArray(value)) return value.every(item => typeof item === 'number') ? value : undefined
  if (typeof value !== 'string') return undefined
  const bytes = Buffer.from(value, 'base64')
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, at) => bytes.readFloatLE(at * 4))
}

function add(sum: EmbeddingsResult['usage'], answer: unknown): EmbeddingsResult['usage'] {
  const usage = isObject(answer) && isObject(answer['usage']) ? answer['usage'] : {}
  const [total, prompt] = [usage['total_tokens'], usage['prompt_tokens']].map(toCount)
  const tokens = prompt ?? total
  if (tokens === undefined) return sum
  return {
    prompt_tokens: (sum?.prompt_tokens ?? 0) + tokens,
    total_tokens: (sum?.total_tokens ?? 0) + Math.max(tokens, total ?? 0),
  }
}

function toCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
