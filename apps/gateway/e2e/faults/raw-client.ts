import { connect, type Socket } from 'node:net'
import { parseClientStream } from './client-stream.ts'
import { KEY } from './start-bench.ts'

/** One answer out of the bytes of a connection. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** As UTF-8. */
  readonly body: string
  /** The body came to its end. */
  readonly whole: boolean
}

/** A connection on which anything can be said. */
export interface RawConnection {
  readonly socket: Socket
  /** All that came, as Latin-1, so that each byte is a character. */
  readonly received: string
  /** Resolves as soon as what came fits; rejects when the connection is over first. */
  until(fits: (received: string) => boolean): Promise<void>
  /** Resolves with all that came when the connection is over, however it ended. */
  readonly closed: Promise<string>
}

/** Connects to the gateway; what is written stays as it is. The connection stays open behind the client's own end. */
export function connectRaw(origin: string): RawConnection {
  const socket = connect({ port: Number(new URL(origin).port), host: '127.0.0.1', allowHalfOpen: true })
  const pieces: string[] = []
  const waiting = new Set<() => void>()
  const soFar = (): string => pieces.join('')
  socket.setEncoding('latin1')
  socket.on('data', (piece: string) => {
    pieces.push(piece)
    for (const check of waiting) check()
  })
  // How it ended is told by what came.
  socket.on('error', () => undefined)
  socket.on('end', () => socket.end())
  const closed = new Promise<string>(resolve => socket.once('close', () => resolve(soFar())))
  return {
    socket,
    get received() {
      return soFar()
    },
    closed,
    until: fits =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          if (!fits(soFar())) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
        void closed.then(all => reject(new Error(`The connection was over first: …${all.slice(-500)}`)))
      }),
  }
}

/** Says all of it, and resolves with the answers when the gateway has closed the connection. */
export async function sayRaw(origin: string, ...parts: (string | Buffer)[]): Promise<RawAnswer[]> {
  const { socket, closed } = connectRaw(origin)
  for (const part of parts) socket.write(part, 'latin1')
  return parseAnswers(await closed)
}

/** A POST of a chat completion as bytes; `extra` are header lines, each with its end. */
export function toRawRequest(body: string, extra = ''): string {
  const length = Buffer.byteLength(body, 'latin1')
  return `POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer ${KEY}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${extra}\r\n${body}`
}

/** Header lines. */
export const AUTH = `authorization: Bearer ${KEY}\r\n`
export const JSON_TYPE = 'content-type: application/json\r\n'

/** A request as bytes, after whose answer the connection is over; `line` is its first line but for the version. */
export function toRequest(line: string, headers = '', body = ''): string {
  const length = body === '' ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`
  return `${line} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n${length}${headers}\r\n${body}`
}

/** The body of a chat request. */
export function toChatBody(model: string, members: object = {}): string {
  return JSON.stringify({
    model,
    stream: true,
    messages: [{ role: 'user', content: 'Does the mill run?' }],
    ...members,
  })
}

/** The text of the first choice of an answer, as a stream or in one piece. @throws {Error} it is not whole */
export function contentOf({ body }: RawAnswer, stream: boolean): string {
  if (!stream) return (JSON.parse(body) as { choices: [{ message: { content: string } }] }).choices[0].message.content
  const { content, done } = parseClientStream(body)
  if (!done) throw new Error('The stream is not whole.')
  return content
}

/** Bytes of a connection → the answers in them, interim ones left out. @throws {Error} for bytes that are no answer */
export function parseAnswers(received: string): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = received; rest !== '';) {
    const [head] = rest.split('\r\n\r\n', 1) as [string]
    const [first, ...lines] = head.split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first!)?.[1])
    if (Number.isNaN(status)) throw new Error(`That is no answer: ${rest.slice(0, 200)}`)
    const headers = Object.fromEntries(
      lines.map(line => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    rest = rest.slice(head.length + 4)
    if (status < 200) continue
    const { body, whole, length } = cutBody(rest, headers)
    answers.push({ status, headers, body: Buffer.from(body, 'latin1').toString(), whole })
    rest = rest.slice(length)
  }
  return answers
}

function cutBody(
  text: string,
  headers: Readonly<Record<string, string>>,
): { body: string; whole: boolean; length: number } {
  if (headers['transfer-encoding'] === 'chunked') {
    let body = ''
    for (let at = 0; ;) {
      const line = /^([\da-f]+)\r\n/i.exec(text.slice(at, at + 20))
      if (line === null) return { body, whole: false, length: text.length }
      const size = Number.parseInt(line[1]!, 16)
      at += line[0].length
      if (size === 0) return { body, whole: true, length: at + 2 }
      body += text.slice(at, at + size)
      at += size + 2
    }
  }
  const length = Number(headers['content-length'] ?? text.length)
  return { body: text.slice(0, length), whole: text.length >= length, length }
}
