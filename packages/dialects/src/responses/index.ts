import { run, type ChunkHead, type Frames } from '@millrace/core'
import { HEARTBEAT } from '@millrace/sse-core'
import type { Dialect, Encoder } from '../dialect.ts'
import { createAnswer, type Answer } from './answer.ts'
import { toResponsesError } from './errors.ts'
import { fromRaw } from './raw.ts'
import { readRequest, type ResponsesRequest } from './request.ts'
import { createResponseObject } from './response-object.ts'
import { toChat, wantsLogprobs } from './to-chat.ts'
import { createToolNames } from './tool-names.ts'

/** `POST /v1/responses`, without anything being kept from one request to the next. */
export const responses: Dialect = {
  name: 'responses',
  idPrefix: 'resp_',
  read(body) {
    const request = readRequest(body)
    const names = createToolNames()
    const chat = toChat(request, names)
    const answerOf = (head: ChunkHead): Answer =>
      createAnswer({
        names,
        toResponse: createResponseObject(request, head),
        withLogprobs: wantsLogprobs(request),
        withEncrypted: request.include?.includes('reasoning.encrypted_content') === true,
      })
    return {
      chat,
      isVerbatim: false,
      includeUsage: true,
      createEncoder: head => toEncoder(answerOf(head), isCodex(request)),
      collect: (frames, head) => collect(frames, answerOf(head)),
    }
  },
  toError: toResponsesError,
}

function toEncoder(answer: Answer, tellsInStream: boolean): Encoder {
  return {
    encode(frames) {
      for (const frame of frames) answer.push(frame)
      return answer.take()
    },
    heartbeat: () => HEARTBEAT,
    end() {
      answer.end()
      return answer.take()
    },
    fail(failure) {
      answer.fail(failure)
      return answer.take()
    },
    tellsInStream: () => tellsInStream,
  }
}

async function collect(frames: Frames, answer: Answer): Promise<object> {
  await run(frames, batch => {
    for (const frame of batch) answer.push(frame)
    answer.take()
  })
  return fromRaw(answer.end()) as object
}

/**
 * Codex asks thirty times when it gets a status of 5xx, and takes the words of a stream that fails for what they are.
 * Official clients of the API do it the other way round. Only Codex sends this member.
 */
function isCodex(request: ResponsesRequest): boolean {
  return request['client_metadata'] != null
}
