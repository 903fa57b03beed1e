import { z } from 'zod'

const text = z.string()

interface Typed {
  readonly type: string
  readonly [member: string]: unknown
}

/** Objects of many types: those in the table have to be like that, of all others only the type is known. */
function oneOf(table: Readonly<Record<string, z.ZodType>>): z.ZodType<Typed> {
  return z.looseObject({ type: text }).superRefine((value, context) => {
    if (Object.hasOwn(table, value.type)) report(table[value.type]!, value, context)
  })
}

/** What a schema has against a value, said by another that knows more types of it. */
function report(schema: z.ZodType, value: unknown, context: z.RefinementCtx): void {
  for (const { path, message } of schema.safeParse(value).error?.issues ?? []) {
    context.addIssue({ code: 'custom', path, message })
  }
}

/** A tool that the client runs itself; those that Anthropic's servers run, or know, have a type of their own. */
const clientTool = z.looseObject({
  type: text.nullish(),
  name: text.min(1),
  description: text.nullish(),
  input_schema: z.looseObject({}),
  strict: z.boolean().nullish(),
  defer_loading: z.boolean().nullish(),
})
export type ClientTool = z.infer<typeof clientTool>

const tool = z.looseObject({ type: text.nullish() }).superRefine((value, context) => {
  if (isClientTool(value)) report(clientTool, value, context)
})

/** For what has passed the schema. */
export function isClientTool(candidate: { type?: string | null | undefined }): candidate is ClientTool {
  return candidate.type == null || candidate.type === 'custom'
}

const blocks = z.array(z.lazy(() => block))
const content = z.union([text, blocks])

const SOURCES = {
  base64: z.looseObject({ media_type: text, data: text }),
  url: z.looseObject({ url: text }),
  text: z.looseObject({ data: text }),
  content: z.looseObject({ content }),
} satisfies Record<string, z.ZodType>

const source = oneOf(SOURCES)

const ADDITIONS = {
  tool_reference: z.looseObject({ name: text }),
  tool_definition: z.looseObject({ definition: tool }),
} satisfies Record<string, z.ZodType>

const BLOCKS = {
  text: z.looseObject({ text }),
  image: z.looseObject({ source }),
  document: z.looseObject({ source, title: text.nullish() }),
  search_result: z.looseObject({ title: text, source: text, content: blocks }),
  thinking: z.looseObject({ thinking: text }),
  tool_use: z.looseObject({ id: text.min(1), name: text.min(1), input: z.looseObject({}) }),
  tool_result: z.looseObject({ tool_use_id: text.min(1), content: content.nullish(), is_error: z.boolean().nullish() }),
  tool_reference: z.looseObject({ tool_name: text }),
  tool_addition: z.looseObject({ tool: oneOf(ADDITIONS) }),
  tool_removal: z.looseObject({ tool: z.looseObject({ name: text }) }),
} satisfies Record<string, z.ZodType>

const block: z.ZodType<Typed> = oneOf(BLOCKS)

/** Something that is one of the types in a table, with the members of that type. */
type OneOf<Table extends Record<string, z.ZodType>> = {
  [Type in keyof Table]: { readonly type: Type } & z.infer<Table[Type]>
}[keyof Table]

/** A block of whatever type. */
export type Block = Typed
/** A block of a type that is read. */
export type KnownBlock = OneOf<typeof BLOCKS>
/** Where the bytes of an image or a document are, in a way that is read. */
type KnownSource = OneOf<typeof SOURCES>
/** What a tool is added by. */
type KnownAddition = OneOf<typeof ADDITIONS>

/** For what has passed the schema. */
export function isKnownBlock(candidate: Block): candidate is KnownBlock {
  return Object.hasOwn(BLOCKS, candidate.type)
}

/** For what has passed the schema. */
export function isKnownSource(candidate: Typed): candidate is KnownSource {
  return Object.hasOwn(SOURCES, candidate.type)
}

/** For what has passed the schema. */
export function isKnownAddition(candidate: Typed): candidate is KnownAddition {
  return Object.hasOwn(ADDITIONS, candidate.type)
}

/** What is counted: a request without what concerns the answer alone. Members that nothing reads are let through. */
export const CountRequest = z.looseObject({
  model: text.min(1).max(512),
  messages: z.array(z.looseObject({ role: z.enum(['user', 'assistant', 'system']), content })).min(1),
  system: content.nullish(),
  tools: z.array(tool).max(1024).nullish(),
  tool_choice: z
    .looseObject({
      type: z.enum(['auto', 'any', 'tool', 'none']),
      name: text.nullish(),
      disable_parallel_tool_use: z.boolean().nullish(),
    })
    .nullish(),
  thinking: z
    .looseObject({
      type: z.enum(['enabled', 'adaptive', 'disabled']),
      budget_tokens: z.int().min(1).nullish(),
      display: text.nullish(),
    })
    .nullish(),
  output_config: z
    .looseObject({
      effort: text.nullish(),
      format: z.looseObject({ type: z.literal('json_schema'), schema: z.looseObject({}) }).nullish(),
    })
    .nullish(),
})
export type CountRequest = z.infer<typeof CountRequest>

export const MessagesRequest = CountRequest.extend({
  max_tokens: z.int().min(1),
  stream: z.boolean().nullish(),
  stop_sequences: z.array(text.min(1)).nullish(),
  temperature: z.number().min(0).max(1).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).nullish(),
  metadata: z.looseObject({ user_id: text.nullish() }).nullish(),
})
export type MessagesRequest = z.infer<typeof MessagesRequest>
