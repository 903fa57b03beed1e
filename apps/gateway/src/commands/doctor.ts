import { createId, GatewayError, type Usage } from '@millrace/core'
import { createUpstream } from '@millrace/upstream'
import { Command } from 'commander'
import type { Environment } from '../config/placeholders.ts'
import { openRoutes } from '../gateway.ts'
import type { Route } from '../router.ts'
import { readSettings, withConfigOptions, type ConfigFlags } from './read-settings.ts'

/** How long one provider may take to list its models, and then to stream a few tokens. */
const PATIENCE_MS = 30_000

/** `millrace doctor`: looks at everything a gateway needs, in words; ends with 1 where something is wrong. */
export function doctorCommand(env: Environment): Command {
  const command = new Command('doctor').description(
    'check the configuration and every upstream, with a five-token stream through each',
  )
  return withConfigOptions(command).action(async (flags: ConfigFlags) => {
    const { config, source } = await readSettings(flags, env)
    console.log(`Configuration  good (${source.file ?? 'no file'})`)
    for (const { provider, variable } of source.found)
      console.log(`Provider       ${provider}, because ${variable} is set`)
    await using upstream = createUpstream()
    let healthy = true
    for (const route of openRoutes(config, upstream)) healthy = (await examine(route)) && healthy
    console.log(healthy ? '\nAll is well.' : '\nSomething is wrong: see above.')
    process.exitCode = healthy ? 0 : 1
  })
}

async function examine(route: Route): Promise<boolean> {
  console.log(`\n${route.name}`)
  const listed = await attempt(() => route.provider.models(AbortSignal.timeout(PATIENCE_MS)))
  if ('failure' in listed) console.log(`  models   ${listed.failure}`)
  else console.log(`  models   reachable, lists ${listed.value.length} in ${listed.ms} ms`)

  const model = route.defaultModel ?? route.models?.[0] ?? ('value' in listed ? listed.value[0]?.id : undefined)
  if (model === undefined) {
    console.log('  stream   not tried: no model is known; set defaultModel or models')
    return false
  }
  const streamed = await attempt(() => stream(route, model))
  if ('failure' in streamed) {
    console.log(`  stream   ${model}: ${streamed.failure}`)
    return false
  }
  const { chunks, text, usage } = streamed.value
  const tokens = usage === undefined ? 'no usage told' : `${usage.completion_tokens} tokens`
  console.log(
    `  stream   ${model}: ${chunks} chunks, ${tokens}, in ${streamed.ms} ms: ${JSON.stringify(text.slice(0, 60))}`,
  )
  return true
}

async function stream(
  { provider }: Route,
  model: string,
): Promise<{ chunks: number; text: string; usage: Usage | undefined }> {
  const head = { id: createId('chatcmpl-'), created: Math.floor(Date.now() / 1000), model, includeUsage: true }
  const request = { model, stream: true, max_tokens: 5, messages: [{ role: 'user' as const, content: 'Say hello.' }] }
  const call = { model, head, stream: true, signal: AbortSignal.timeout(PATIENCE_MS), requestId: 'doctor' }
  let [chunks, text, usage] = [0, '', undefined as Usage | undefined]
  for await (const frames of provider.chat(request, call)) {
    for (const { chunk } of frames) {
      chunks++
      text += chunk.choices[0]?.delta.content ?? ''
      usage = chunk.usage ?? usage
    }
  }
  return { chunks, text, usage }
}

/** What came of an action and how long it took, in words where it failed. */
async function attempt<T>(action: () => Promise<T>): Promise<{ value: T; ms: number } | { failure: string }> {
  const startedAt = performance.now()
  try {
    return { value: await action(), ms: Math.round(performance.now() - startedAt) }
  } catch (failure) {
    return { failure: inWords(failure) }
  }
}

function inWords(failure: unknown): string {
  if (!(failure instanceof GatewayError)) return `failed: ${(failure as Error).message}`
  const reason = failure.code === 'aborted' ? `no answer within ${PATIENCE_MS / 1000} s` : failure.message
  return `failed (${failure.code}): ${reason}`
}
