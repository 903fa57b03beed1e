/** A model of the service. */
export interface AmazonQModel {
  readonly id: string
  readonly maxInputTokens: number
  readonly maxOutputTokens: number
  /** What a request costs, as a multiple. */
  readonly rate: number
  readonly images: boolean
  /** Only for clients of Kiro. */
  readonly kiroOnly: boolean
}

type Row = readonly [id: string, input: number, output: number, rate: number, images: boolean]

const BOTH: readonly Row[] = [
  ['claude-sonnet-4.5', 200_000, 64_000, 1.3, true],
  ['claude-sonnet-4', 200_000, 64_000, 1.3, true],
  ['claude-3.7-sonnet', 200_000, 64_000, 1, true],
  ['claude-haiku-4.5', 200_000, 64_000, 0.4, true],
  ['claude-opus-4.5', 200_000, 64_000, 2.2, true],
]

const KIRO: readonly Row[] = [
  ['auto', 1_000_000, 64_000, 1, true],
  ['claude-sonnet-4.6', 1_000_000, 64_000, 1.3, true],
  ['claude-opus-4.6', 1_000_000, 64_000, 2.2, true],
  ['claude-opus-4.7', 1_000_000, 64_000, 2.2, true],
  ['claude-opus-4.8', 1_000_000, 64_000, 2.2, true],
  ['claude-sonnet-5', 1_000_000, 64_000, 1.3, true],
  ['claude-opus-5', 1_000_000, 64_000, 2.2, true],
  ['gpt-5.6-sol', 272_000, 128_000, 1.3, true],
  ['deepseek-3.2', 128_000, 32_000, 0.25, false],
  ['minimax-m2.1', 200_000, 32_000, 0.15, false],
  ['glm-5', 200_000, 32_000, 0.3, false],
  ['qwen3-coder-next', 256_000, 32_000, 0.05, false],
]

function toModels(rows: readonly Row[], kiroOnly: boolean): readonly AmazonQModel[] {
  return rows.map(([id, maxInputTokens, maxOutputTokens, rate, images]) => {
    return { id, maxInputTokens, maxOutputTokens, rate, images, kiroOnly }
  })
}

export const MODELS: readonly AmazonQModel[] = [...toModels(BOTH, false), ...toModels(KIRO, true)]

/** The one that answers where a request names none. */
export const USUAL_MODEL = MODELS[0]!

/** Clients that are not Kiro's own, and see fewer models. */
const FIRST_ORIGINS = ['CLI', 'IDE', 'CHATBOT', 'CONSOLE', 'MD', 'MD_IDE', 'MD_CE']

/** The models that a client of that origin may use. */
export function modelsFor(origin: string | undefined): readonly AmazonQModel[] {
  const isKiro = origin !== undefined && !FIRST_ORIGINS.includes(origin)
  return isKiro ? MODELS : MODELS.filter(model => !model.kiroOnly)
}

export const ORIGINS: readonly string[] = [
  ...FIRST_ORIGINS,
  'AI_EDITOR',
  'KIRO_CLI',
  'KIRO_WEB',
  'INLINE_CHAT',
  'Q_DEV_BEXT',
  'GITLAB',
  'SAGE_MAKER',
  'SM_AI_STUDIO_IDE',
  'SERVICE_INTERNAL',
  'UNIFIED_SEARCH',
  'OPENSEARCH_DASHBOARD',
  'DOCUMENTATION',
  'MARKETING',
  'MOBILE',
  'UNKNOWN',
]
