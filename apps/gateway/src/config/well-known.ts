import type { Environment } from './placeholders.ts'

interface WellKnown {
  /** The environment variable that other programs use too. */
  readonly variable: string
  readonly provider: string
  readonly kind: string
  /** Left out where the kind knows by itself, from the key for instance. */
  readonly baseUrl?: string
  /** Where the variable says where the service is, rather than how to sign in there. */
  readonly isHost?: true
  /** Another variable, which says where the service is when it is not at `baseUrl`. */
  readonly baseUrlVariable?: string
}

/** What makes a provider, by its mere presence in the environment, when none is configured. */
export const WELL_KNOWN: readonly WellKnown[] = [
  {
    variable: 'OPENAI_API_KEY',
    provider: 'openai',
    kind: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    baseUrlVariable: 'OPENAI_BASE_URL',
  },
  { variable: 'OPENROUTER_API_KEY', provider: 'openrouter', kind: 'openai', baseUrl: 'https://openrouter.ai/api/v1' },
  { variable: 'DEEPSEEK_API_KEY', provider: 'deepseek', kind: 'openai', baseUrl: 'https://api.deepseek.com/v1' },
  { variable: 'GROQ_API_KEY', provider: 'groq', kind: 'openai', baseUrl: 'https://api.groq.com/openai/v1' },
  { variable: 'MISTRAL_API_KEY', provider: 'mistral', kind: 'openai', baseUrl: 'https://api.mistral.ai/v1' },
  { variable: 'XAI_API_KEY', provider: 'xai', kind: 'openai', baseUrl: 'https://api.x.ai/v1' },
  { variable: 'TOGETHER_API_KEY', provider: 'together', kind: 'openai', baseUrl: 'https://api.together.xyz/v1' },
  { variable: 'DASHSCOPE_API_KEY', provider: 'qwen', kind: 'qwen', baseUrlVariable: 'DASHSCOPE_BASE_URL' },
  { variable: 'OLLAMA_HOST', provider: 'ollama', kind: 'openai', isHost: true },
]

/** A provider made from the environment. */
export interface FoundProvider {
  readonly provider: string
  readonly kind: string
  readonly variable: string
  readonly baseUrl?: string
  /** The variable that `baseUrl` was read from, where it was. */
  readonly baseUrlVariable?: string | undefined
  readonly apiKey?: string
}

export function findWellKnown(env: Environment): readonly FoundProvider[] {
  return WELL_KNOWN.flatMap(({ variable, provider, kind, baseUrl, isHost, baseUrlVariable }): FoundProvider[] => {
    const value = env[variable]?.trim()
    if (!value) return []
    const found = { provider, kind, variable }
    if (isHost) return [{ ...found, baseUrl: toOllamaUrl(value), baseUrlVariable: variable }]
    const moved = baseUrlVariable === undefined ? undefined : env[baseUrlVariable]?.trim()
    if (moved) return [{ ...found, baseUrl: moved, baseUrlVariable, apiKey: value }]
    return [{ ...found, ...(baseUrl !== undefined && { baseUrl }), apiKey: value }]
  })
}

/**
 * The root of Ollama's API from its own variable, which may lack scheme and port, and is also what the server binds:
 * an address that stands for all of them is then reached through loopback.
 */
function toOllamaUrl(value: string): string {
  const host = value.replace(/^:/, '127.0.0.1:')
  const hasScheme = /^https?:\/\//.test(host)
  const url = URL.parse(hasScheme ? host : `http://${host}`)
  if (url === null) return value
  if (!hasScheme && !/:\d+(?:\/|$)/.test(host)) url.port = '11434'
  if (url.hostname === '0.0.0.0' || url.hostname === '[::]') url.hostname = '127.0.0.1'
  return `${url.origin}${url.pathname.replace(/\/(?:v1\/?)?$/, '')}/v1`
}
