/** An error, before it takes anybody's shape. */
export interface Fault {
  readonly status: number
  readonly message: string
  readonly type: string
  readonly code: string
}

/** The types and codes that services put beside a status: status → [type, code, message]. */
const KINDS: Readonly<Record<number, readonly [type: string, code: string, message: string]>> = {
  400: ['invalid_request_error', 'invalid_value', 'The request was refused by the simulator.'],
  401: ['invalid_request_error', 'invalid_api_key', 'Incorrect API key provided.'],
  402: ['insufficient_quota', 'insufficient_balance', 'Insufficient balance.'],
  403: ['permission_error', 'model_not_allowed', 'This key may not use the model.'],
  404: ['invalid_request_error', 'model_not_found', 'The model does not exist.'],
  408: ['timeout_error', 'request_timeout', 'The request timed out.'],
  413: ['invalid_request_error', 'request_too_large', 'The request is too large.'],
  422: ['invalid_request_error', 'unprocessable', 'The request could not be processed.'],
  429: ['requests', 'rate_limit_exceeded', 'Rate limit reached for requests.'],
  503: ['overloaded_error', 'overloaded', 'The engine is overloaded.'],
}

const OTHER = ['server_error', 'internal_error', 'The server had an error while processing the request.'] as const

/** The fault that goes with a status, in given words where there are some. */
export function toFault(status: number, message?: string, code?: string): Fault {
  const [type, usualCode, usualMessage] = KINDS[status] ?? OTHER
  return { status, type, code: code ?? usualCode, message: message ?? usualMessage }
}

/** OpenAI's own shape. */
export function toErrorBody({ message, type, code }: Fault): object {
  return { error: { message, type, param: null, code } }
}

/** A body and, where it is not JSON, its content type. */
interface ErrorBody {
  readonly body: string
  readonly type?: string
}

function json(toBody: (fault: Fault) => unknown): (fault: Fault) => ErrorBody {
  return fault => ({ body: JSON.stringify(toBody(fault)) })
}

const toGoogle = ({ status, message }: Fault): object => ({
  error: { code: status, message, status: 'INVALID_ARGUMENT', details: [{ '@type': 'type.googleapis.com/Simulated' }] },
})

const FILTERED = { hate: { filtered: true, severity: 'high' }, violence: { filtered: false, severity: 'safe' } }

/** Every shape in which services write an error body. */
export const ERROR_SHAPES: ReadonlyMap<string, (fault: Fault) => ErrorBody> = new Map(
  Object.entries({
    openai: json(toErrorBody),
    quota: json(fault => ({
      error: { message: fault.message, type: 'insufficient_quota', param: null, code: 'insufficient_quota' },
    })),
    context: json(() => ({
      error: {
        message: "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        type: 'invalid_request_error',
        param: 'messages',
        code: 'context_length_exceeded',
      },
    })),
    azure: json(({ status, message }) => ({
      error: {
        message,
        type: null,
        param: 'prompt',
        code: 'content_filter',
        status,
        innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: FILTERED },
      },
    })),
    groq: json(({ message }) => ({
      error: { message, type: 'invalid_request_error', code: 'tool_use_failed', failed_generation: '<function=get' },
    })),
    'code-number': json(({ status, message }) => ({
      error: { message, type: 'BadRequestError', param: null, code: status },
    })),
    openrouter: json(({ status, message }) => ({
      error: { code: status, message, metadata: { provider_name: 'Simulated', raw: '{"detail":"no"}' } },
      user_id: 'user_simulated',
    })),
    fireworks: json(({ message, code }) => ({
      error: { object: 'error', type: 'invalid_request_error', code, message },
    })),
    ollama: json(({ message }) => ({ error: { message, type: 'api_error', param: null, code: null } })),
    string: json(({ message }) => ({ error: message })),
    'code-string': json(({ message }) => ({ code: 'The service is not able to do that', error: message })),
    gemini: json(fault => [toGoogle(fault)]),
    google: json(toGoogle),
    mistral: json(({ message, type, code }) => ({ object: 'error', message, type, param: null, code })),
    flat: json(({ message, type, code }) => ({ message, type, param: null, code })),
    detail: json(({ message }) => ({ detail: message })),
    'detail-list': json(({ message }) => ({
      detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: message, input: null }],
    })),
    errors: json(({ message, code }) => ({ errors: [{ message, code }], success: false })),
    message: json(({ message }) => ({ Message: message })),
    aws: json(({ message }) => ({ __type: 'com.amazon.coral.service#ThrottlingException', message })),
    dashscope: json(({ message }) => ({ code: 'InvalidParameter', message, request_id: 'simulated-request' })),
    fault: json(({ message, code }) => ({ fault: { faultstring: message, detail: { errorcode: code } } })),
    anthropic: json(({ message, type }) => ({ type: 'error', error: { type, message } })),
    sse: fault => ({
      body: `data: ${JSON.stringify(toErrorBody(fault))}\n\ndata: [DONE]\n\n`,
      type: 'text/event-stream',
    }),
    html: ({ status }) => ({ body: toPage(status), type: 'text/html' }),
    text: ({ message }) => ({ body: message, type: 'text/plain' }),
    empty: () => ({ body: '' }),
    'bad-json': () => ({ body: '{"error":{"message":"cut sho' }),
    null: json(() => null),
  } satisfies Record<string, (fault: Fault) => ErrorBody>),
)

/** A page of the kind that proxies answer with. */
export function toPage(status: number): string {
  const title = `${status} Simulated Gateway Page`
  return `<!DOCTYPE html>
<html>
<head><title>${title}</title><script>alert("markup must not travel")</script></head>
<body>
<center><h1>${title}</h1></center>
<hr><center>proxy.internal.example</center>
</body>
</html>
`
}
