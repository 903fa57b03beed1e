import {
  createFlow,
  defineProvider,
  run,
  secretsIn,
  UpstreamError,
  type Call,
  type ChatRequest,
  type Frames,
} from '@millrace/core'
import {
  ask,
  dialectSettings,
  orAgain,
  readEmbeddings,
  readModels,
  relayMessages,
  toBody,
  withoutSecrets,
  type Service,
} from '@millrace/openai-dialect'
import { readFrames, withThinkTags } from '@millrace/sse-core'
import { z } from 'zod'

const { headers, messagesUrl, thinkTags, request } = dialectSettings

const config = z.strictObject({
  kind: z.literal('openai'),
  baseUrl: z.url().describe('Root of the API, up to and including `/v1`'),
  apiKey: z
    .string()
    .optional()
    .describe('Key of the upstream; in the file usually `${NAME}`, filled in from the environment'),
  headers,
  stop: z
    .enum(['upstream', 'gateway'])
    .default('upstream')
    .describe('Who ends an answer at a stop sequence: `gateway` for an upstream that ignores `stop`'),
  messagesUrl,
  thinkTags,
  developerRole: z
    .enum(['developer', 'system'])
    .default('system')
    .describe('The role under which `developer` messages are sent: few servers besides OpenAI know that role'),
  request,
})

/** As many inputs as OpenAI takes at once. */
const EMBEDDINGS = { maxInputs: 2048, tokens: true }

/** Any service in the OpenAI dialect. */
export const openai = defineProvider({
  kind: 'openai',
  config,
  open(settings, { upstream, timeouts }) {
    const service: Service = {
      upstream,
      timeouts,
      baseUrl: settings.baseUrl,
      headers: {
        ...settings.headers,
        ...(settings.apiKey ? { authorization: `Bearer ${settings.apiKey}` } : undefined),
      },
    }
    const secrets = secretsIn(service.headers)
    const rules = { ...settings.request, developerRole: settings.developerRole, streamOptions: true }

    function askChat(request: ChatRequest, call: Call): Frames {
      return createFlow(async sink => {
        const reply = await ask(service, 'chat/completions', toBody(request, call, rules), call)
        const frames = readFrames(reply, call.head)
        await run(settings.thinkTags === 'split' ? withThinkTags(frames, call.head) : frames, sink)
      })
    }

    function fail(error: unknown): never {
      throw withoutSecrets(error, secrets)
    }

    const { messagesUrl } = settings

    return {
      lacks: { stop: settings.stop === 'gateway' },
      chat: (request, call) =>
        createFlow(async sink => {
          const frames = orAgain(askChat(request, call), error => {
            // Older servers refuse the member; from then on they are asked without it.
            if (!rules.streamOptions || !refuses(error, 'stream_options')) return undefined
            rules.streamOptions = false
            return askChat(request, call)
          })
          await run(frames, sink).catch(fail)
        }),
      ...(messagesUrl !== undefined && {
        relayMessages: call => createFlow(sink => run(relayMessages(service, messagesUrl, call), sink).catch(fail)),
      }),
      models: signal => readModels(service, signal).catch(fail),
      embeddings: (request, call) =>
        readEmbeddings(service, request, call, { ...settings.request, ...EMBEDDINGS }).catch(fail),
    }
  },
})

function refuses(error: unknown, name: string): boolean {
  return error instanceof UpstreamError && error.code === 'upstream_rejected' && error.message.includes(name)
}
