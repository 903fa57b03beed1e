import { DIALECTS, type DialectName } from './dialects.ts'
import { createPrompts, type PromptShape } from './prompts.ts'

/** How one of the servers that are compared is asked. */
export interface Target {
  readonly port: number
  /** The model's name, as this server wants it. */
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
  /** `chat`, where nothing else is said. */
  readonly dialect?: DialectName
}

/** The bytes of requests for so many events each; a whole answer has none. */
export function createRequests(target: Target, shape: Omit<PromptShape, 'model'>): (events: number) => Buffer {
  const { dialect = 'chat' } = target
  const toPrompt = createPrompts({ ...shape, model: target.model }, dialect)
  const headers = Object.entries({
    host: `127.0.0.1:${target.port}`,
    'content-type': 'application/json',
    accept: shape.stream ? 'text/event-stream' : 'application/json',
    ...target.headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${DIALECTS[dialect].path} HTTP/1.1\r\n${headers.join('')}`
  const made = new Map<number, Buffer>()

  return events => {
    let request = made.get(events)
    if (request === undefined) {
      const body = toPrompt(events)
      request = Buffer.from(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      made.set(events, request)
    }
    return request
  }
}
