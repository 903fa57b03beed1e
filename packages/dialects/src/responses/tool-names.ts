import { createHash } from 'node:crypto'

/** A tool as the client knows it. */
interface ToolIdentity {
  readonly kind: 'function' | 'custom'
  readonly name: string
  readonly namespace?: string | undefined
}

/** Names of tools as models see them, which is without namespaces, and back. */
export interface ToolNames {
  /** The one name for the tool, always the same; what no other tool is called. */
  flatten(tool: ToolIdentity): string
  /** The tool of a name; a name that nobody gave is that of a function. */
  identify(flat: string): ToolIdentity
}

/** What services take as a function's name. */
const ALLOWED = /^[\w-]{1,64}$/
const HASH_LENGTH = 8

/** The names of one request. Those given first stay as they are. */
export function createToolNames(): ToolNames {
  const flats = new Map<string, string>()
  const tools = new Map<string, ToolIdentity>()
  return {
    flatten(tool) {
      const key = JSON.stringify([tool.namespace ?? null, tool.name])
      let flat = flats.get(key)
      if (flat !== undefined) return flat
      flat = tool.namespace === undefined ? tool.name : fitting(`${tool.namespace}__${tool.name}`)
      if (tools.has(flat)) flat = hashed(flat, key)
      flats.set(key, flat)
      tools.set(flat, tool)
      return flat
    },
    identify: flat => tools.get(flat) ?? { kind: 'function', name: flat },
  }
}

function fitting(name: string): string {
  return ALLOWED.test(name) ? name : hashed(name, name)
}

function hashed(name: string, of: string): string {
  const hash = createHash('sha256').update(of).digest('hex').slice(0, HASH_LENGTH)
  return `${name.replace(/[^\w-]/g, '_').slice(0, 64 - 1 - HASH_LENGTH)}_${hash}`
}
