import { request, type ClientRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'

export interface AskOptions {
  /** A stream where not given. */
  readonly stream?: boolean
  /** Members of the body beside `model`, `stream` and `messages`, or instead of them. */
  readonly members?: object
  readonly headers?: Readonly<Record<string, string>>
  /** Is told the body as it comes, which is then not kept. */
  readonly onData?: (piece: Buffer) => void
}

/** What came back, as much of it as came. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body came to its proper end; else the connection broke. */
  readonly ended: boolean
  /** From the request to the headers, and to the end of it all, milliseconds. */
  readonly headersMs: number
  readonly totalMs: number
}

/** An answer on its way. */
export interface LiveAnswer {
  /** As much of the body as has come. */
  readonly text: string
  readonly request: ClientRequest
  /** Resolves when the headers are there. */
  readonly response: Promise<IncomingMessage>
  /** Resolves as soon as the body so far fits; rejects when it ends first. */
  until(fits: (text: string) => boolean): Promise<void>
  /** Resolves when it is over, however it ended. Rejects when there was no answer at all. */
  readonly whole: Promise<Answer>
}

/** Asks the gateway for a chat completion, on a connection of its own. */
export function openChat(baseUrl: string, model: string, options: AskOptions = {}): LiveAnswer {
  const { stream = true, members, headers, onData } = options
  const body = JSON.stringify({
    model,
    stream,
    messages: [{ role: 'user', content: 'Does the mill run?' }],
    ...members,
  })
  const began = performance.now()
  const sent = request(`${baseUrl}/chat/completions`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
  })
  const pieces: Buffer[] = []
  const waiting = new Set<() => void>()
  const textSoFar = (): string => Buffer.concat(pieces).toString()
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    sent.once('response', resolve)
    sent.on('error', reject)
  })

  async function toEnd(): Promise<Answer> {
    const answer = await response
    const headersMs = performance.now() - began
    answer.on('data', (piece: Buffer) => {
      if (onData === undefined) pieces.push(piece)
      else onData(piece)
      for (const check of waiting) check()
    })
    // Whether it broke is told by `complete`.
    answer.on('error', () => undefined)
    await new Promise<void>(resolve => answer.once('close', resolve))
    const { statusCode: status = 0, headers, complete } = answer
    return { status, headers, text: textSoFar(), ended: complete, headersMs, totalMs: performance.now() - began }
  }

  const whole = toEnd()
  // Whoever leaves does not wait for the end.
  whole.catch(() => undefined)
  sent.end(body)
  return {
    get text() {
      return textSoFar()
    },
    request: sent,
    response,
    whole,
    until: fits =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!fits(textSoFar())) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
        whole.then(() => reject(new Error(`The answer ended first: …${textSoFar().slice(-500)}`)), reject)
      }),
  }
}
