import { isObject, type UpstreamBody, type UpstreamReply } from '@millrace/core'

/** As much of an answer is looked at as an upstream needs to say no. */
const MAX_OPENING_BYTES = 16 * 1024

/** What an answer that is no stream has turned out to be, as far as it was read. */
export interface Watched {
  readonly reply: UpstreamReply
  /** Whether it is a web page. */
  isPage(): boolean
  /** JSON with words in it and no answer, if it is that. */
  report(): object | undefined
}

/** The same answer; where it does not call itself a stream, what has come of it is looked at. */
export function watch(reply: UpstreamReply): Watched {
  if (reply.status === 200 && (reply.headers['content-type'] ?? '').includes('event-stream')) {
    return { reply, isPage: () => false, report: () => undefined }
  }
  let opening = Buffer.alloc(0)
  const body: UpstreamBody = {
    endWithin: ms => reply.body.endWithin(ms),
    async *[Symbol.asyncIterator]() {
      for await (const read of reply.body) {
        if (opening.length < MAX_OPENING_BYTES) {
          opening = Buffer.concat([opening, read.subarray(0, MAX_OPENING_BYTES - opening.length)])
        }
        yield read
      }
    },
  }
  return {
    reply: { ...reply, body },
    isPage: () => opening.toString().trimStart().startsWith('<'),
    report: () => reportIn(opening.toString()),
  }
}

function reportIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) && typeof value['message'] === 'string' && !('choices' in value) ? value : undefined
  } catch {
    return undefined
  }
}
