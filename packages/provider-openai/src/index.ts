import {
  createFlow,
  defineProvider,
  run,
  UpstreamError,
  type Call,
  type ChatRequest,
  type Frames,
  type Timeouts,
} from '@millrace/core'
import { readFrames, readModels, withThinkTags } from '@millrace/sse-core'
import { z } from 'zod'
import { toBody } from './request.ts'
import { withoutSecrets } from './without-secrets.ts'

const member = z.string().min(1)

const config = z.strictObject({
  kind: z.literal('openai'),
  baseUrl: z.url().describe('Root of the API, up to and including `/v1`'),
  apiKey: z
    .string()
    .optional()
    .describe('Key of the upstream; in the file usually `${NAME}`, filled in from the environment'),
  headers: z.record(z.string(), z.string()).optional().describe('Headers to send with every request to this upstream'),
  stop: z
    .enum(['upstream', 'gateway'])
    .default('upstream')
    .describe('Who ends an answer at a stop sequence: `gateway` for an upstream that ignores `stop`'),
  thinkTags: z
    .enum(['keep', 'split'])
    .default('keep')
    .describe(
      'What becomes of a leading `<think>…</think>` in the text: stays there, or is told as `reasoning_content`',
    ),
  developerRole: z
    .enum(['developer', 'system'])
    .default('system')
    .describe('The role under which `developer` messages are sent: few servers besides OpenAI know that role'),
  request: z
    .strictObject({
      rename: z
        .record(member, member)
        .optional()
        .describe('Request members under another name, such as `max_completion_tokens: max_tokens`'),
      drop: z.array(member).optional().describe('Request members that this upstream refuses'),
      set: z.record(member, z.json()).optional().describe('Request members to send whatever the client says'),
    })
    .default({})
    .describe('Changes to the request for an upstream that differs'),
})

/**
 * A whole answer begins when it is finished, so its first byte may take five times as long as that of a stream: 10
 * minutes with the defaults, which is also what the official clients wait.
 */
const WHOLE_ANSWER_FACTOR = 5

/** Any service in the OpenAI dialect. */
export const openai = defineProvider({
  kind: 'openai',
  config,
  open(settings, { upstream, timeouts }) {
    const headers = {
      ...settings.headers,
      ...(settings.apiKey ? { authorization: `Bearer ${settings.apiKey}` } : undefined),
    }
    const secrets = Object.values(headers).flatMap(value => value.split(/\s+/))
    const chatUrl = toUrl(settings.baseUrl, 'chat/completions')
    const rules = { ...settings.request, developerRole: settings.developerRole, streamOptions: true }

    async function ask(request: ChatRequest, call: Call): Promise<Frames> {
      const reply = await upstream.request({
        method: 'POST',
        url: chatUrl,
        headers: {
          ...headers,
          accept: call.stream ? 'text/event-stream' : 'application/json',
          'content-type': 'application/json',
        },
        body: toBody(request, call, rules),
        timeouts: call.stream ? timeouts : wholeAnswer(timeouts),
        requestId: call.requestId,
        signal: call.signal,
      })
      const frames = readFrames(reply, call.head)
      return settings.thinkTags === 'split' ? withThinkTags(frames, call.head) : frames
    }

    return {
      lacks: { stop: settings.stop === 'gateway' },
      chat: (request, call) =>
        createFlow(async sink => {
          let begun = false
          const note: typeof sink = batch => {
            begun = true
            return sink(batch)
          }
          try {
            await run(await ask(request, call), note)
          } catch (error) {
            // Older servers refuse the member; from then on they are asked without it.
            if (begun || !(rules.streamOptions && refuses(error, 'stream_options')))
              throw withoutSecrets(error, secrets)
            rules.streamOptions = false
            await run(await ask(request, call), sink).catch(again => Promise.reject(withoutSecrets(again, secrets)))
          }
        }),
      async models(signal) {
        try {
          return await readModels(upstream, { url: toUrl(settings.baseUrl, 'models'), headers, timeouts, signal })
        } catch (error) {
          throw withoutSecrets(error, secrets)
        }
      },
    }
  },
})

function toUrl(baseUrl: string, path: string): URL {
  const base = baseUrl.replace(/\/+$/, '').replace(/\/chat\/completions$/, '')
  return new URL(`${base}/${path}`)
}

function wholeAnswer(timeouts: Timeouts): Timeouts {
  return { ...timeouts, firstByte: timeouts.firstByte * WHOLE_ANSWER_FACTOR }
}

function refuses(error: unknown, name: string): boolean {
  return error instanceof UpstreamError && error.code === 'upstream_rejected' && error.message.includes(name)
}
