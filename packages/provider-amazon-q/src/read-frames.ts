import { createFlow, isObject, parseJson, run, UpstreamError, type Frames, type UpstreamReply } from '@millrace/core'
import { createGate } from '@millrace/sse-core'
import { createAnswer, type Answer, type AnswerOptions } from './answer.ts'
import { createMessageDecoder } from './message-decoder.ts'
import { readReport } from './report.ts'

/** How long the service may take for its numbers once it has said why it ends. */
const END_GRACE_MS = 5000
/** As much of what is no event stream is looked at as a report needs. */
const MAX_DOCUMENT_BYTES = 64 * 1024

const LESS_THAN = 0x3c
const BRACE = 0x7b

export interface ReadOptions extends AnswerOptions {
  /** Whether an answer that says nothing at all is taken for one. */
  readonly mayBeEmpty: boolean
}

/** Thrown in place of an answer that says nothing and gives no reason for it: it may do better when asked again. */
export class EmptyAnswer extends UpstreamError {
  constructor() {
    super('upstream_bad_response', 'The upstream sent an empty answer.')
  }
}

/**
 * The body of a good answer → frames that keep the stream contract, a batch for each read.
 * @throws {EmptyAnswer} where it may not be empty, or nothing came at all
 * @throws {UpstreamError} what the service reports; `upstream_malformed`, `upstream_truncated`, `upstream_bad_response` for
 *   what is no event stream; the codes of the body's clocks
 */
export function readFrames({ body }: UpstreamReply, options: ReadOptions): Frames {
  return createFlow(async sink => {
    const reader = createReader(options)
    const gate = createGate(sink)

    function pass(): ReturnType<typeof gate.pass> {
      const frames = reader.take()
      return frames.length > 0 ? gate.pass(frames) : undefined
    }

    try {
      await run(body, read => {
        reader.push(read)
        if (reader.isFinishing()) body.endWithin(END_GRACE_MS)
        return pass()
      })
      if (!gate.isClosed()) reader.end()
    } finally {
      // What was understood before a fault still counts.
      await pass()
    }
  })
}

interface Reader extends Pick<Answer, 'take' | 'isFinishing' | 'end'> {
  push(read: Buffer): void
}

function createReader(options: ReadOptions): Reader {
  const answer = createAnswer(options)
  const decoder = createMessageDecoder()
  let begun = false
  /** JSON in place of messages. */
  let document: Buffer[] | undefined
  let documentBytes = 0

  return {
    take: answer.take,
    isFinishing: answer.isFinishing,
    push(read) {
      // No message begins like a page or like JSON: it would have a gigabyte.
      if (!begun && read[0] === LESS_THAN) {
        throw badResponse('answered with a web page: is `endpoint` right?')
      }
      if (!begun && read[0] === BRACE) document = []
      begun ||= read.length > 0
      if (document === undefined) return decoder.push(read, answer.message)
      documentBytes += read.length
      if (documentBytes > MAX_DOCUMENT_BYTES) throw badResponse('answered with JSON in place of an event stream')
      document.push(read)
    },
    end() {
      if (document !== undefined) throw toDocumentError(parseJson(Buffer.concat(document).toString()), options)
      if (decoder.isInside()) {
        throw new UpstreamError('upstream_truncated', 'The upstream stopped in the middle of a message.')
      }
      if (!begun || (answer.isEmpty() && !options.mayBeEmpty)) throw new EmptyAnswer()
      answer.end()
    },
  }
}

function toDocumentError(document: unknown, { toError }: ReadOptions): Error {
  const report = readReport(document)
  const says = isObject(document) && (report.name !== '' || report.message !== '')
  return says ? toError(report) : badResponse('answered with JSON in place of an event stream')
}

function badResponse(how: string): UpstreamError {
  return new UpstreamError('upstream_bad_response', `The upstream ${how}.`)
}
