import type { Upstream, UpstreamBody } from '@millrace/core'

const SHOWN = 2000
/** In place of what is said with a sign-in server: tokens, in both directions. */
const CONFIDENTIAL = '[confidential]'

/** `DEBUG_STREAMING`: what came in, what went out and when, piece by piece. */
export interface Trace {
  /** The same upstream; what is sent to it and what each read brings is printed. */
  wrap(upstream: Upstream): Upstream
  /** Bytes on their way to the client. */
  out(requestId: string, bytes: Buffer | string): void
}

/** @param secrets shown as `[masked]` wherever they turn up */
export function createTrace(print: (line: string) => void, secrets: readonly string[]): Trace {
  const startedAt = performance.now()

  function show(requestId: string, direction: string, bytes: Buffer | string): void {
    let text = JSON.stringify(bytes.toString())
    // Before it is cut, so that no secret is cut in two.
    for (const secret of secrets) text = text.replaceAll(JSON.stringify(secret).slice(1, -1), '[masked]')
    const time = (performance.now() - startedAt).toFixed(1)
    const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)} …` : text
    print(`${time} ms ${requestId} ${direction} ${Buffer.byteLength(bytes)} B ${shown}`)
  }

  return {
    wrap: upstream => ({
      async request(request) {
        const { requestId, confidential } = request
        const sent = confidential ? CONFIDENTIAL : (request.body ?? '')
        show(requestId, `→ upstream ${request.method} ${request.url.origin}${request.url.pathname}`, sent)
        const reply = await upstream.request(request)
        show(requestId, `← upstream ${reply.status} ${reply.headers['content-type'] ?? ''}`, '')
        const body: UpstreamBody = {
          endWithin: ms => reply.body.endWithin(ms),
          async *[Symbol.asyncIterator]() {
            for await (const read of reply.body) {
              show(requestId, '← upstream', confidential ? CONFIDENTIAL : read)
              yield read
            }
          },
        }
        return { ...reply, body }
      },
    }),
    out: (requestId, bytes) => show(requestId, '→ client', bytes),
  }
}
