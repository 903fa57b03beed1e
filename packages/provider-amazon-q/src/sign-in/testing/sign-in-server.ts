import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createUpstream } from '@millrace/upstream'
import type { SignInServer } from '../exchange.ts'

interface Asked {
  readonly path: string
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
  readonly json: Readonly<Record<string, unknown>>
}

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Text, or what becomes JSON. */
  readonly body: unknown
}
export type Script = (asked: Asked, before: number) => Answer | 'never' | 'hang-up'

export interface TestServer extends SignInServer, AsyncDisposable {
  readonly authUrl: string
  readonly asked: readonly Asked[]
}

/** A sign-in server on loopback that answers each request as the script says, which also knows how many came before. */
export async function startSignInServer(script: Script): Promise<TestServer> {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString()
    const isJson = request.headers['content-type']?.includes('json')
    const next = { path: request.url ?? '', headers: request.headers, body, json: isJson ? JSON.parse(body) : {} }
    asked.push(next)
    const answer = script(next, asked.length - 1)
    if (answer === 'hang-up') request.socket.destroy()
    else if (answer !== 'never') send(response, answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const upstream = createUpstream()
  return {
    upstream,
    authUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function send(response: ServerResponse, { status = 200, headers, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** The answers in turn; the last one again and again. */
export function inTurn(...answers: readonly Answer[]): Script {
  return (_asked, before) => answers[Math.min(before, answers.length - 1)]!
}

/** An error as AWS's sign-in server tells it. */
export function refusal(error: string, status = 400, description = 'in words'): Answer {
  const exception = error.replace(/(?:^|_)([a-z])/g, (_match, letter: string) => letter.toUpperCase())
  return {
    status,
    headers: { 'x-amzn-errortype': `${exception}Exception` },
    body: { error, error_description: description },
  }
}

/** The token of this number, for an hour. */
export function grant(number: number): Answer {
  return {
    body: {
      accessToken: `aoa-test-${number}`,
      tokenType: 'Bearer',
      expiresIn: 3600,
      refreshToken: `aor-test-${number}`,
    },
  }
}
