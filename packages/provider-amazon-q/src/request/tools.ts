import { GatewayError, type ChatRequest, type JsonObject } from '@millrace/core'
import { toInputSchema } from './input-schema.ts'
import { cutAt, parseAcceptable } from './acceptable.ts'
import type { Tool } from './conversation-state.ts'
import type { Pause } from './pause.ts'
import type { ToolNames } from './tool-names.ts'

const MAX_DESCRIPTION = 10_000
const MAX_SCHEMA_BYTES = 96_000
const ABSENT = 'This tool is not available any more. Do not call it.'
const NO_PARAMETERS = { type: 'object', properties: {} }

interface Tools {
  readonly specifications: readonly Tool[]
  /** What did not fit into the descriptions, in words for the model. */
  readonly instructions: readonly string[]
}

interface ToolsOptions {
  readonly names: ToolNames
  readonly pause: Pause
  /** Whether their schemas have only what all models take. */
  readonly hasBareSchemas: boolean
}

/**
 * The tools of a client as the service takes them.
 * @throws {GatewayError} `unsupported_parameter` for tools that are no functions; `invalid_value` for two of one name, and
 * for a schema that is too large
 */
export async function toTools(
  tools: NonNullable<ChatRequest['tools']>,
  { names, pause, hasBareSchemas }: ToolsOptions,
): Promise<Tools> {
  const specifications: Tool[] = []
  const instructions: string[] = []
  const seen = new Set<string>()
  for (const [at, { type, function: definition }] of tools.entries()) {
    const param = `tools[${at}]`
    if (type !== 'function' || definition === undefined) {
      const message = `Amazon Q knows no tools of type "${type}": describe it as a function, or leave it out.`
      throw new GatewayError('unsupported_parameter', message, { param })
    }
    const { name, description, parameters } = definition
    if (seen.has(name)) throw invalid(`${param}.function.name`, `Two tools are called "${name}": rename one of them.`)
    seen.add(name)
    const sent = names.toSent(name)
    const isDescribed = typeof description === 'string' && description.trim() !== ''
    const text = (isDescribed ? description : `Tool: ${name}`).toWellFormed()
    const start = cutAt(text, MAX_DESCRIPTION)
    const rest = text.slice(start.length)
    if (rest !== '') instructions.push(`The description of the tool "${sent}" goes on:\n${rest}`)
    specifications.push(toTool(sent, start, toSchema(parameters, hasBareSchemas, `${param}.function.parameters`)))
    await pause()
  }
  return { specifications, instructions }
}

/** What stands for tools that were called earlier and are not offered any more: the service wants to know them all. */
export function toAbsentTools(offered: readonly Tool[], names: ToolNames): Tool[] {
  const absent = new Set(names.all)
  for (const { toolSpecification } of offered) absent.delete(toolSpecification.name)
  return [...absent].map(name => toTool(name, ABSENT, NO_PARAMETERS))
}

function toTool(name: string, description: string, json: JsonObject): Tool {
  return { toolSpecification: { name, description, inputSchema: { json } } }
}

function toSchema(parameters: unknown, isBare: boolean, param: string): JsonObject {
  const json = JSON.stringify(toInputSchema(parameters, isBare))
  const bytes = Buffer.byteLength(json)
  if (bytes <= MAX_SCHEMA_BYTES) return parseAcceptable(json) as JsonObject
  const message = `The schema has ${bytes} bytes, and ${MAX_SCHEMA_BYTES} is the most: shorten its descriptions and enums.`
  throw invalid(param, message)
}

function invalid(param: string, message: string): GatewayError {
  return new GatewayError('invalid_value', message, { param })
}
