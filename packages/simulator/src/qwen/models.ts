import { QWEN_HEAD } from './chunks.ts'
import type { Site } from './sites.ts'

/**
 * Whether a model thinks: not at all, when told to, unless told not to, or whatever it is told. Thinking models have
 * budgets in tokens.
 */
type Thinking = 'none' | 'off' | 'on' | 'always'

export interface QwenModel {
  /** Tokens in all, in the answer at most, and in the question at most (as many as in all where not given). */
  readonly context: number
  readonly output: number
  readonly input?: number
  readonly thinking: Thinking
  readonly budget?: number
  /** It thinks in whole answers too, not only in streams. */
  readonly thinksWhole?: true
  readonly streamOnly?: true
  /** Its native endpoint is the one for several kinds of media. */
  readonly multimodal?: true
  /** Only this region has it. */
  readonly region?: 'beijing'
}

const MILLION = 1_000_000

const CODER: QwenModel = { context: MILLION, output: 65_536, thinking: 'none' }
const LATEST: QwenModel = {
  context: MILLION,
  output: 65_536,
  thinking: 'on',
  budget: 81_920,
  thinksWhole: true,
  multimodal: true,
}
const OPEN: QwenModel = { context: 262_144, output: 65_536, thinking: 'on', budget: 81_920, multimodal: true }
const OPEN_3: QwenModel = { context: 131_072, output: 16_384, thinking: 'on', budget: 38_912 }
const ALWAYS: QwenModel = { context: 131_072, output: 8192, thinking: 'always', streamOnly: true }
const FOREIGN: QwenModel = { context: 202_752, output: 65_536, thinking: 'off', thinksWhole: true }

const MODELS: Readonly<Record<string, QwenModel>> = {
  'qwen3-coder-plus': { ...CODER, context: 1_048_576, input: 997_952 },
  'qwen3-coder-flash': CODER,
  'qwen3-coder-next': { ...CODER, context: 262_144 },
  'qwen3-coder-480b-a35b-instruct': { ...CODER, context: 262_144, input: 204_800 },
  'qwen3-coder-30b-a3b-instruct': { ...CODER, context: 262_144, input: 204_800 },
  'qwen3.7-max': { ...LATEST, budget: 262_144 },
  'qwen3.7-plus': { ...LATEST, budget: 262_144 },
  'qwen3.6-plus': LATEST,
  'qwen3.6-flash': { ...LATEST, budget: 131_072 },
  'qwen3.6-max-preview': { ...LATEST, context: 262_144, budget: 131_072 },
  'qwen3.5-plus': LATEST,
  'qwen3.5-flash': LATEST,
  'qwen3.5-397b-a17b': OPEN,
  'qwen3.5-122b-a10b': OPEN,
  'qwen3.5-35b-a3b': OPEN,
  'qwen3.5-27b': OPEN,
  'qwen3.6-35b-a3b': OPEN,
  'qwen3.6-27b': OPEN,
  'qwen3-max': { context: 262_144, output: 65_536, input: 258_048, thinking: 'off', thinksWhole: true },
  'qwen-plus': { context: MILLION, output: 32_768, thinking: 'off', budget: 81_920 },
  'qwen-flash': { context: MILLION, output: 32_768, thinking: 'off', budget: 81_920 },
  'qwen-turbo': { context: MILLION, output: 16_384, thinking: 'off', budget: 38_912 },
  'qwen-max': { context: 32_768, output: 8192, input: 30_720, thinking: 'none' },
  'qwen-long': { context: 10 * MILLION, output: 8192, thinking: 'none', region: 'beijing' },
  'qwen3-vl-plus': { context: 262_144, output: 32_768, thinking: 'off', budget: 81_920, multimodal: true },
  'qwen-vl-max': { context: 131_072, output: 8192, thinking: 'none', multimodal: true },
  'qwen-vl-plus': { context: 131_072, output: 8192, thinking: 'none', multimodal: true },
  'qwen3-vl-235b-a22b': { context: 131_072, output: 32_768, thinking: 'none', multimodal: true },
  'qwen3-vl-30b-a3b': { context: 131_072, output: 32_768, thinking: 'none', multimodal: true },
  'qwen-vl-ocr': { context: 34_096, output: 4096, input: 30_000, thinking: 'none', multimodal: true },
  'qwen3-235b-a22b': OPEN_3,
  'qwen3-32b': OPEN_3,
  'qwen3-14b': { ...OPEN_3, output: 8192 },
  'qwen3-8b': { ...OPEN_3, output: 8192 },
  'qwen3-next-80b-a3b-instruct': { context: 131_072, output: 32_768, thinking: 'none' },
  'qwen3-next-80b-a3b-thinking': { context: 131_072, output: 32_768, thinking: 'always' },
  'qwq-plus': ALWAYS,
  'qwq-32b': ALWAYS,
  'qvq-max': { ...ALWAYS, multimodal: true },
  'qwen3-omni-flash': { context: 65_536, output: 16_384, thinking: 'off', streamOnly: true, multimodal: true },
  'qwen-omni-turbo': { context: 32_768, output: 2048, thinking: 'none', streamOnly: true, multimodal: true },
  'qwen-mt-plus': { context: 16_384, output: 8192, thinking: 'none' },
  'qwen-mt-turbo': { context: 16_384, output: 8192, thinking: 'none' },
}

const PORTAL_MODELS: Readonly<Record<string, QwenModel>> = {
  'qwen3-coder-plus': MODELS['qwen3-coder-plus']!,
  'qwen3-coder-flash': CODER,
  'coder-model': { ...LATEST, thinking: 'off' },
  'vision-model': { context: 262_144, output: 32_768, thinking: 'none', multimodal: true },
}

const FOREIGN_MODELS: Readonly<Record<string, QwenModel>> = Object.fromEntries(
  ['glm-4.7', 'glm-5', 'glm-5.1', 'kimi-k2.5', 'kimi-k2.6', 'MiniMax-M2.5', 'deepseek-v3.2'].map(id => [id, FOREIGN]),
)

const CODING_MODELS: Readonly<Record<string, QwenModel>> = {
  ...pick('qwen3-coder-plus', 'qwen3-coder-next', 'qwen3.5-plus', 'qwen3.6-plus', 'qwen3.7-plus'),
  'qwen3-max-2026-01-23': { ...MODELS['qwen3-max']!, output: 32_768 },
  ...FOREIGN_MODELS,
}

const TOKEN_MODELS: Readonly<Record<string, QwenModel>> = {
  ...pick('qwen3-coder-plus', 'qwen3.6-plus', 'qwen3.7-plus', 'qwen3.7-max'),
  'qwen3.6-flash': LATEST,
  ...FOREIGN_MODELS,
}

function pick(...names: readonly string[]): Readonly<Record<string, QwenModel>> {
  return Object.fromEntries(names.map(name => [name, MODELS[name]!]))
}

/** In the list of models, but nothing that chats. */
const OTHER_MODELS = [
  'text-embedding-v4',
  'text-embedding-v3',
  'qwen-image-plus',
  'qwen-image-edit',
  'wan2.5-t2v-preview',
  'qwen-audio-turbo',
  'qwen3-tts-flash',
  'cosyvoice-v3-plus-tts',
]

const SNAPSHOT = /-(?:latest|\d{4}|\d{4}-\d{2}-\d{2})$/

function tableOf(site: Site): Readonly<Record<string, QwenModel>> {
  if (site.kind !== 'dashscope') return PORTAL_MODELS
  return { payg: MODELS, coding: CODING_MODELS, token: TOKEN_MODELS }[site.plan]
}

/** The model that a site has under this name, or under the name without the date of a snapshot. */
export function findModel(site: Site, name: string): QwenModel | undefined {
  const table = tableOf(site)
  const found = [name, name.replace(SNAPSHOT, '')].find(candidate => Object.hasOwn(table, candidate))
  const model = found === undefined ? undefined : table[found]
  return model?.region !== undefined && !isIn(site, model.region) ? undefined : model
}

/** Whether a name is one of a model that exists, but does not chat. */
export function isOtherModel(name: string): boolean {
  return OTHER_MODELS.includes(name)
}

/** A site's list of models, in OpenAI's shape: those that do not chat are in it. */
export function toModelList(site: Site): object {
  const names = Object.keys(tableOf(site)).filter(name => findModel(site, name) !== undefined)
  const data = (site.kind === 'portal' ? names : [...names, ...OTHER_MODELS]).map(id => ({
    id,
    object: 'model',
    created: QWEN_HEAD.created,
    owned_by: 'system',
  }))
  return { object: 'list', data }
}

function isIn(site: Site, region: string): boolean {
  return site.kind === 'dashscope' && site.region === region
}
