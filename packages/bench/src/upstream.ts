// A process of its own: answers in the OpenAI dialect, or as Amazon Q does, as cheaply as it can, so that what stands before it is measured.
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAmazonQText } from './amazon-q-text.ts'
import { createStreamText, MODELS, WHOLE_ANSWER, type StreamText } from './answers.ts'
import { nowUs } from './clock.ts'
import { answerCalls } from './launch.ts'
import { readPrompt } from './prompts.ts'
import { createWheel } from './wheel.ts'

/** How streams are written from now on. */
export interface Pace {
  readonly paceMs: number
  /** Events in each write. */
  readonly batch: number
}

/** What a request wants stands at its beginning, or at its end where somebody has written it anew. */
const OUTLINE_BYTES = 2048

let addToWheel = createWheel(5)
let batch = 1
let streams = 0
let lastClosedUs = nowUs()
let onIdle: (() => void) | undefined

const server = createServer({ noDelay: true, keepAliveTimeout: 3_600_000 }, (request, response) => {
  let beginning = ''
  let last: Buffer = Buffer.alloc(0)
  request.on('data', (piece: Buffer) => {
    if (beginning === '') beginning = piece.toString('latin1', 0, OUTLINE_BYTES)
    last = piece
  })
  request.on('end', () => {
    if (request.method === 'GET') sendJson(response, MODELS)
    else {
      const { stream, events } = readPrompt(beginning + last.subarray(-OUTLINE_BYTES).toString('latin1'))
      if (request.headers['x-amz-target'] !== undefined) sendStream(response, events, createAmazonQText())
      else if (stream) sendStream(response, events, createStreamText())
      else sendJson(response, WHOLE_ANSWER)
    }
  })
})

function sendJson(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
}

function sendStream(response: ServerResponse, events: number, text: StreamText): void {
  const socket = response.socket!
  let left = events

  streams++
  response.once('close', () => {
    lastClosedUs = nowUs()
    if (--streams === 0) onIdle?.()
  })

  // HTTP chunks written by ourselves are one write each; through the response they would be four.
  function write(data: string): void {
    socket.write(`${data.length.toString(16)}\r\n${data}\r\n`, 'latin1')
  }

  function turn(): boolean {
    if (response.closed) return false
    if (socket.writableNeedDrain) return true
    let data = ''
    for (let count = Math.min(batch, left); count > 0; count--, left--) data += text.event()
    write(data)
    if (left > 0) return true
    end()
    return false
  }

  function end(): void {
    socket.cork()
    write(text.ending())
    response.end()
    socket.uncork()
  }

  response.writeHead(200, { 'content-type': text.contentType, 'cache-control': 'no-cache' })
  response.flushHeaders()
  left--
  write(text.role + text.event())
  if (left > 0) addToWheel(turn)
  else end()
}

const calls = {
  async listen(): Promise<number> {
    server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
  pace(pace: Pace): void {
    addToWheel = createWheel(pace.paceMs)
    batch = pace.batch
  },
  /** When no stream is open any more: at what time the last one closed. */
  async idle(): Promise<number> {
    if (streams > 0) await new Promise<void>(resolve => (onIdle = resolve))
    return lastClosedUs
  },
}

export type UpstreamCalls = typeof calls

answerCalls(calls)
