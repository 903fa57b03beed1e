import { FAILURES, GatewayError } from '../../packages/core/src/index.ts'

const EXAMPLE = new GatewayError('idle_timeout', 'The upstream fell silent in the middle of its answer.').toBody()

const INTRODUCTION = `# Errors

When a request fails, the answer says so in one form, whatever the upstream said and in whatever way:

\`\`\`json
${JSON.stringify(EXAMPLE, null, 2)}
\`\`\`

All four members are always there. \`code\` is the row of the table below, and what programs should go by; \`message\` is for people and
may change; \`param\` names the member of the request that is at fault, where one is.

## Before and after the first words

As long as nothing of the answer has been sent, a failure has an HTTP status of its own, and the body above. Once a stream has begun
the status is 200 and cannot be taken back: the failure is then the last event, and the stream ends after it **without**
\`data: [DONE]\`:

\`\`\`text
data: {"id":"chatcmpl-…","object":"chat.completion.chunk",…,"choices":[{"index":0,"delta":{"content":"Once upon"},"finish_reason":null}]}

data: ${JSON.stringify(EXAMPLE)}

\`\`\`

A stream that ends with \`[DONE]\` was complete. One that does not was not, and no reason to finish is ever made up for it.

## Asking again

The official SDKs ask again by themselves after 408, 429 and 5xx. Where the table says no, the answer carries
\`x-should-retry: false\`, so that they do not wait for what will not change. Where an upstream said how long to wait, \`retry-after\` passes
it on. After an error within a stream nothing is asked again unless your program does it.

Every answer carries \`x-request-id\`; the log of the gateway has the whole story under the same id.

## All codes
`

/** `docs/errors.md`, from the table of failures. */
export function errorsPage(): string {
  const rows = Object.entries(FAILURES).map(([code, { status, type, retry, meaning }]) => {
    return `| \`${code}\` | ${status} | \`${type}\` | ${retry ? 'yes' : 'no'} | ${meaning} |`
  })
  const head = ['| code | status | type | ask again | meaning |', '|---|---|---|---|---|']
  return `${INTRODUCTION}\n${[...head, ...rows].join('\n')}\n`
}
