import { askSimulator } from '../ask-simulator.ts'
import type { AskOptions, Reply } from '../ask-simulator.ts'
import type { QwenSimulator } from './qwen-simulator.ts'

export const KEY = 'sk-test-1'

export interface QwenAskOptions extends AskOptions {
  /** `singapore/payg` where not given. */
  readonly site?: string
  readonly key?: string
}

/** Asks a site for a chat completion, on a connection of its own. */
export function askQwen(
  simulator: QwenSimulator,
  model: string,
  { site = 'singapore/payg', key = KEY, headers = {}, members = {}, ...rest }: QwenAskOptions = {},
): Promise<Reply> {
  return askSimulator(simulator, model, {
    path: new URL(`${simulator.baseUrls[site]}/chat/completions`).pathname,
    headers: { authorization: `Bearer ${key}`, 'user-agent': 'test', ...headers },
    members: { stream_options: { include_usage: true }, ...members },
    ...rest,
  })
}

/** What an answer says is wrong: status, code and words. */
export function faultOf({ status, text }: Pick<Reply, 'status' | 'text'>): readonly [number, unknown, unknown] {
  const body = JSON.parse(text) as { error?: { code: unknown; message: unknown }; code?: unknown; message?: unknown }
  const { code, message } = body.error ?? body
  return [status, code, message]
}

/** Sends a form to the sign-in server. */
export function postForm(
  simulator: QwenSimulator,
  path: 'device/code' | 'token',
  form: Readonly<Record<string, string>>,
  init: RequestInit = {},
): Promise<Response> {
  const url = new URL(`/api/v1/oauth2/${path}`, simulator.url)
  return fetch(url, { method: 'POST', body: new URLSearchParams(form), ...init })
}

/** Sends commands the way a process would. */
export function postControl(simulator: QwenSimulator, commands: object): Promise<Response> {
  return fetch(new URL('/control', simulator.url), { method: 'POST', body: JSON.stringify(commands) })
}
