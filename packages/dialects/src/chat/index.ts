import { ChatRequest, type Frame } from '@millrace/core'
import {
  collect,
  DONE,
  encodeError,
  encodeFrame,
  fromLegacyFunctions,
  HEARTBEAT,
  withLegacyFunctions,
} from '@millrace/sse-core'
import type { Dialect, Encoder } from '../dialect.ts'
import { toOpenAIError } from '../openai-error.ts'
import { readBody } from '../read-body.ts'

/** `POST /v1/chat/completions`: what the frames are made of already. */
export const chat: Dialect = {
  name: 'chat',
  idPrefix: 'chatcmpl-',
  read(body) {
    const request = readBody(ChatRequest, body)
    const asked = fromLegacyFunctions(request)
    return {
      chat: asked,
      isVerbatim: asked === request,
      includeUsage: request.stream_options?.include_usage === true,
      ...(request.functions != null && { adapt: withLegacyFunctions }),
      createEncoder: () => encoder,
      collect,
    }
  },
  toError: toOpenAIError,
}

/** It remembers nothing, so that one is enough for all. */
const encoder: Encoder = {
  encode: frames => (frames.length === 1 ? encodeFrame(frames[0]!) : Buffer.concat(frames.map(toBytes))),
  heartbeat: () => HEARTBEAT,
  end: () => DONE,
  fail: encodeError,
}

const toBytes = (frame: Frame): Buffer => encodeFrame(frame)
