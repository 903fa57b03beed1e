import type { ChatRequest } from '@millrace/core'
import {
  isClientTool,
  isKnownAddition,
  isKnownBlock,
  type Block,
  type ClientTool,
  type CountRequest,
} from './request.ts'

const CHOICES = { auto: 'auto', any: 'required', none: 'none' } as const

/**
 * The tools that the client runs, and the choice among them. Tools of Anthropic's servers are left out, as nobody here
 * would run them.
 */
export function toToolMembers(request: CountRequest): Pick<ChatRequest, 'tools'> & Record<string, unknown> {
  const tools = toolsAtHand(request)
  return tools.length === 0 ? {} : { tools: tools.map(toFunctionTool), ...toChoiceMembers(request.tool_choice) }
}

function toFunctionTool({ name, description, input_schema, strict }: ClientTool) {
  return {
    type: 'function',
    function: {
      name,
      ...(description != null && { description }),
      parameters: input_schema,
      ...(strict != null && { strict }),
    },
  }
}

function toChoiceMembers(choice: CountRequest['tool_choice']): Record<string, unknown> {
  if (choice == null) return {}
  return {
    tool_choice: choice.type === 'tool' ? { type: 'function', function: { name: choice.name } } : CHOICES[choice.type],
    ...(choice.disable_parallel_tool_use === true && { parallel_tool_calls: false }),
  }
}

/** Those that the conversation has come to: deferred tools come in when it refers to them, others are added and taken away. */
function toolsAtHand({ tools, messages }: CountRequest): readonly ClientTool[] {
  const declared = new Map((tools ?? []).filter(isClientTool).map(tool => [tool.name, tool]))
  const atHand = new Map([...declared].filter(([, { defer_loading }]) => defer_loading !== true))

  function change(block: Block): void {
    if (!isKnownBlock(block)) return
    if (block.type === 'tool_removal') atHand.delete(block.tool.name)
    else if (block.type === 'tool_reference') add(declared.get(block.tool_name))
    else if (block.type === 'tool_result' && Array.isArray(block.content)) block.content.forEach(change)
    else if (block.type === 'tool_addition' && isKnownAddition(block.tool)) {
      const { tool } = block
      add(tool.type === 'tool_reference' ? declared.get(tool.name) : tool.definition)
    }
  }

  function add(tool: { type?: string | null | undefined } | undefined): void {
    if (tool !== undefined && isClientTool(tool)) atHand.set(tool.name, tool)
  }

  for (const { content } of messages) if (typeof content !== 'string') content.forEach(change)
  return [...atHand.values()]
}
