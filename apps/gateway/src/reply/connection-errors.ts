import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { GatewayError } from '@millrace/core'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { closeGently, thenCloseGently } from './close-gently.ts'
import { COMMON_HEADERS } from './headers.ts'

/** Answers to what does not get as far as a request with a reply. */
export interface ConnectionErrors {
  /** To be told of every request, so that no answer is written into another. */
  note(request: FastifyRequest, response: ServerResponse): void
  /** For what is no HTTP request, or did not come in time. */
  refuse(error: NodeJS.ErrnoException, socket: Socket): void
  /** For an `Expect` header that cannot be met. */
  refuseExpectation(request: IncomingMessage, response: ServerResponse): void
}

export function createConnectionErrors(logger: FastifyBaseLogger): ConnectionErrors {
  /** The last request of each connection, until its answer is over. */
  const latest = new WeakMap<Socket, { readonly request: FastifyRequest; readonly response: ServerResponse }>()

  function logAccess(requestId: string, { status, code }: GatewayError): void {
    logger.info({ requestId, status, ending: code }, 'request')
  }

  return {
    note(request, response) {
      const { socket } = request.raw
      latest.set(socket, { request, response })
      // An idle connection must not hold the body of its last request.
      response.once('close', () => {
        if (latest.get(socket)?.response === response) latest.delete(socket)
      })
    },
    refuse(error, socket) {
      if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
      const failure = toFailure(error)
      const { request, response } = latest.get(socket) ?? {}
      let requestId: string = randomUUID()
      if (request !== undefined && response !== undefined) {
        if (request.raw.complete) {
          // What is wrong came behind that request: its answer is still owed, and after it nothing more.
          socket.pause()
          response.once('close', () => socket.destroy())
          return
        }
        // The fault is in its body, and its own access line will tell.
        request.failure = failure
        requestId = request.id
      } else logAccess(requestId, failure)
      const body = JSON.stringify(failure.toBody())
      const headers = Object.entries({ ...headersOf(failure, requestId), 'content-length': Buffer.byteLength(body) })
      const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')
      socket.write(`HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\n${head}\r\n${body}`)
      closeGently(socket)
    },
    refuseExpectation({ socket }, response) {
      const failure = new GatewayError('expectation_failed', 'The only expectation that can be met is 100-continue.')
      const requestId = randomUUID()
      logAccess(requestId, failure)
      thenCloseGently(socket)
      response.writeHead(failure.status, headersOf(failure, requestId)).end(JSON.stringify(failure.toBody()))
    },
  }
}

function headersOf(failure: GatewayError, requestId: string): Record<string, string> {
  return {
    ...COMMON_HEADERS,
    'x-request-id': requestId,
    'content-type': 'application/json',
    ...(failure.retry ? undefined : { 'x-should-retry': 'false' }),
    connection: 'close',
  }
}

function toFailure({ code }: NodeJS.ErrnoException): GatewayError {
  if (code === 'HPE_HEADER_OVERFLOW') return new GatewayError('headers_too_large', 'The headers are too long.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new GatewayError('request_timeout', 'The request did not arrive in time.')
  }
  return new GatewayError('bad_request', 'This is not a well-formed HTTP request.')
}
