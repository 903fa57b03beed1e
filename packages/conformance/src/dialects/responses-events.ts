import { z } from 'zod'

const count = z.int().min(0)
const id = z.string().min(1)
const text = z.string()
const newText = z.string().min(1)
const status = z.enum(['in_progress', 'completed', 'incomplete'])
const logprobs = z.array(
  z.strictObject({
    token: text,
    logprob: z.number(),
    bytes: z.array(z.int()),
    top_logprobs: z.array(z.strictObject({ token: text, logprob: z.number(), bytes: z.array(z.int()) })),
  }),
)
const annotation = z.strictObject({
  type: z.literal('url_citation'),
  url: text,
  title: text,
  start_index: count,
  end_index: count,
})

const part = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('output_text'), text, annotations: z.array(annotation), logprobs }),
  z.strictObject({ type: z.literal('refusal'), refusal: text }),
])
const summary = z.strictObject({ type: z.literal('summary_text'), text })

const item = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message'),
    id: z.string().regex(/^msg_\w+$/),
    status,
    role: z.literal('assistant'),
    content: z.array(part),
  }),
  z.strictObject({
    type: z.literal('reasoning'),
    id: z.string().regex(/^rs_\w+$/),
    summary: z.array(summary),
    encrypted_content: z.string().min(1).nullable(),
  }),
  z.strictObject({
    type: z.literal('function_call'),
    id: z.string().regex(/^fc_\w+$/),
    status,
    call_id: id,
    name: id,
    namespace: id.optional(),
    arguments: text,
  }),
  z.strictObject({
    type: z.literal('custom_tool_call'),
    id: z.string().regex(/^ctc_\w+$/),
    status,
    call_id: id,
    name: id,
    namespace: id.optional(),
    input: text,
  }),
])
export type ResponseItem = z.infer<typeof item>

const usage = z.strictObject({
  input_tokens: count,
  input_tokens_details: z.strictObject({ cached_tokens: count, cache_write_tokens: count }),
  output_tokens: count,
  output_tokens_details: z.strictObject({ reasoning_tokens: count }),
  total_tokens: count,
})

/** A response with all the members that clients read without asking whether they are there. */
export const ContractResponse = z.looseObject({
  id: z.string().regex(/^resp_[\w-]+$/),
  object: z.literal('response'),
  created_at: z.int().min(1_000_000_000),
  model: id,
  status: z.enum(['in_progress', 'completed', 'incomplete', 'failed']),
  completed_at: z.int().nullable(),
  error: z.strictObject({ code: id, message: id }).nullable(),
  incomplete_details: z.strictObject({ reason: z.enum(['max_output_tokens', 'content_filter']) }).nullable(),
  instructions: text.nullable(),
  metadata: z.looseObject({}),
  output: z.array(item),
  parallel_tool_calls: z.boolean(),
  previous_response_id: z.null(),
  reasoning: z.looseObject({ effort: text.nullable(), summary: text.nullable() }),
  store: z.literal(false),
  temperature: z.number().nullable(),
  text: z.looseObject({ format: z.looseObject({ type: id }) }),
  tool_choice: z.union([text, z.looseObject({ type: id })]),
  tools: z.array(z.looseObject({ type: id })),
  top_p: z.number().nullable(),
  truncation: z.literal('disabled'),
  usage: usage.nullable(),
})
export type ContractResponse = z.infer<typeof ContractResponse>

const inItem = { item_id: id, output_index: count }
const inPart = { ...inItem, content_index: z.literal(0) }
const inSummary = { ...inItem, summary_index: z.literal(0) }

function event<Type extends string, Shape extends z.core.$ZodLooseShape>(type: Type, shape: Shape) {
  return z.strictObject({ type: z.literal(type), sequence_number: count, ...shape })
}

export const ResponseEvent = z.discriminatedUnion('type', [
  event('response.created', { response: ContractResponse }),
  event('response.in_progress', { response: ContractResponse }),
  event('response.completed', { response: ContractResponse }),
  event('response.incomplete', { response: ContractResponse }),
  event('response.failed', { response: ContractResponse }),
  event('response.output_item.added', { output_index: count, item }),
  event('response.output_item.done', { output_index: count, item }),
  event('response.content_part.added', { ...inPart, part }),
  event('response.content_part.done', { ...inPart, part }),
  event('response.output_text.delta', { ...inPart, delta: newText, logprobs }),
  event('response.output_text.done', { ...inPart, text, logprobs }),
  event('response.output_text.annotation.added', { ...inPart, annotation_index: count, annotation }),
  event('response.refusal.delta', { ...inPart, delta: newText }),
  event('response.refusal.done', { ...inPart, refusal: text }),
  event('response.reasoning_summary_part.added', { ...inSummary, part: summary }),
  event('response.reasoning_summary_part.done', { ...inSummary, part: summary }),
  event('response.reasoning_summary_text.delta', { ...inSummary, delta: newText }),
  event('response.reasoning_summary_text.done', { ...inSummary, text }),
  event('response.function_call_arguments.delta', { ...inItem, delta: newText }),
  event('response.function_call_arguments.done', { ...inItem, name: id, arguments: text }),
  event('response.custom_tool_call_input.delta', { ...inItem, delta: newText }),
  event('response.custom_tool_call_input.done', { ...inItem, input: text }),
])
export type ResponseEvent = z.infer<typeof ResponseEvent>
