/** Whether a model thinks: never, when it is told to (or unless it is told not to), or whatever it is told. */
export type Thinking = 'never' | 'switchable' | 'always'

/** Sizes in tokens. */
export interface ModelLimits {
  readonly output: number
  /** The largest budget for thinking that all plans allow, where one is published. */
  readonly thinkingBudget?: number
}

/**
 * What is known of models by their names (July 2026); where sources disagree, the larger output. A
 * model that is not here is left to the upstream.
 */
const LIMITS: Readonly<Record<string, ModelLimits>> = {
  'qwen3-coder-plus': { output: 65_536 },
  'qwen3-coder-flash': { output: 65_536 },
  'qwen3-coder-next': { output: 65_536 },
  'qwen3-coder-480b-a35b-instruct': { output: 65_536 },
  'qwen3-coder-30b-a3b-instruct': { output: 65_536 },
  'qwen3.7-max': { output: 65_536, thinkingBudget: 262_144 },
  'qwen3.7-plus': { output: 65_536, thinkingBudget: 262_144 },
  'qwen3.6-plus': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3.6-flash': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3.6-max-preview': { output: 65_536, thinkingBudget: 131_072 },
  'qwen3.6-35b-a3b': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3.6-27b': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3.5-plus': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3.5-flash': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3.5-397b-a17b': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3.5-122b-a10b': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3.5-35b-a3b': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3.5-27b': { output: 65_536, thinkingBudget: 81_920 },
  'qwen3-max': { output: 65_536 },
  'qwen-plus': { output: 32_768, thinkingBudget: 81_920 },
  'qwen-flash': { output: 32_768, thinkingBudget: 81_920 },
  'qwen-turbo': { output: 16_384, thinkingBudget: 38_912 },
  'qwen-max': { output: 8192 },
  'qwen-long': { output: 8192 },
  'qwen3-vl-plus': { output: 32_768, thinkingBudget: 81_920 },
  'qwen3-vl-235b-a22b': { output: 32_768 },
  'qwen3-vl-30b-a3b': { output: 32_768 },
  'qwen-vl-max': { output: 8192 },
  'qwen-vl-plus': { output: 8192 },
  'qwen-vl-ocr': { output: 4096 },
  'qwen3-235b-a22b': { output: 16_384, thinkingBudget: 38_912 },
  'qwen3-32b': { output: 16_384, thinkingBudget: 38_912 },
  'qwen3-14b': { output: 8192, thinkingBudget: 38_912 },
  'qwen3-8b': { output: 8192, thinkingBudget: 38_912 },
  'qwen3-next-80b-a3b-instruct': { output: 32_768 },
  'qwen3-next-80b-a3b-thinking': { output: 32_768 },
  'qwq-plus': { output: 8192 },
  'qwq-32b': { output: 8192 },
  'qvq-max': { output: 8192 },
  'qwen3-omni-flash': { output: 16_384 },
  'qwen-omni-turbo': { output: 2048 },
  'qwen-mt-plus': { output: 8192 },
  'qwen-mt-turbo': { output: 8192 },
  'coder-model': { output: 65_536 },
  'vision-model': { output: 32_768 },
}

/** What is behind the name of a model in the name of one of its snapshots. */
const SNAPSHOT = /-(?:latest|\d{4}|\d{4}-\d\d-\d\d)$/

/** The limits of a model, or of the one that it is a snapshot of. */
export function limitsOf(model: string): ModelLimits | undefined {
  const name = [model, model.replace(SNAPSHOT, '')].find(candidate => Object.hasOwn(LIMITS, candidate))
  return name === undefined ? undefined : LIMITS[name]
}

/** By name, the first that fits. */
const THINKING: readonly (readonly [name: RegExp, thinking: Thinking])[] = [
  [/^q[wv]q-|^qwen.*-thinking/, 'always'],
  [/^qwen\d*-coder|^qwen2|^qwen-(?:max|long|mt|vl|coder)|^qwen-omni-turbo|^qwen.*-instruct|^vision-model/, 'never'],
  [/^qwen|^coder-model/, 'switchable'],
]

/** Whether a model thinks; undefined for those of other makers, which have parameters of their own. */
export function thinkingOf(model: string): Thinking | undefined {
  return THINKING.find(([name]) => name.test(model))?.[1]
}

/** In the names of models that neither chat nor embed. */
const OTHER_KINDS =
  /image|audio|video|tts|asr|cosyvoice|paraformer|sambert|livetranslate|realtime|rerank|^wan|t2[iv]|i2v|s2v/

/** Whether a model of the list can be asked over the endpoints that the gateway has. */
export function isServed(model: string): boolean {
  return !OTHER_KINDS.test(model.toLowerCase())
}

const PORTAL_MODELS = ['coder-model', 'vision-model', 'qwen3-coder-plus', 'qwen3-coder-flash']

/** The models that are known without asking, of the API or of the sign-in portal. */
export function knownModels(isPortal: boolean): readonly string[] {
  return isPortal
    ? PORTAL_MODELS
    : Object.keys(LIMITS).filter(name => name !== 'coder-model' && name !== 'vision-model')
}
