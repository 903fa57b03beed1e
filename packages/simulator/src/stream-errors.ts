import { toChunk, toDelta, toUsage } from './chunks.ts'
import { toErrorBody } from './error-shapes.ts'
import type { Fault } from './error-shapes.ts'
import type { Ask, StreamEvent } from './scenario.ts'

/** The ways in which an error comes inside a stream that began well. */
export const STREAM_ERRORS: ReadonlyMap<string, (ask: Ask, fault: Fault) => Iterable<StreamEvent>> = new Map(
  Object.entries({
    data: (_, fault) => [{ data: toErrorBody(fault) }],
    event: (_, fault) => [{ event: 'error', data: toErrorBody(fault) }],
    anthropic: (_, { message, type }) => [{ event: 'error', data: { type: 'error', error: { type, message } } }],
    flat: (_, { message, type, code }) => [{ data: { object: 'error', message, type, param: null, code } }],
    'flat-code': (_, { message, code }) => [{ data: { code, message, request_id: 'simulated-request' } }],
    field: (_, fault) => [{ bytes: `error: ${JSON.stringify(toErrorBody(fault))}\n\n` }],
    string: (_, { message }) => [{ data: { error: message } }],
    'code-number': (_, { status, message }) => [{ data: { error: { message, type: 'ServerError', code: status } } }],
    finish: (ask, { status, message }) => [
      toChunk(ask, [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: 'error' }], {
        error: { code: status, message },
      }),
    ],
    'finish-only': ask => [toDelta(ask, {}, 'error')],
    insufficient_system_resource: ask => [toDelta(ask, {}, 'insufficient_system_resource')],
    error_finish: (ask, { message }) => [
      toDelta(ask, { content: message }, 'error_finish', { usage: toUsage(ask, 3) }),
    ],
    raw: (_, fault) => [{ bytes: `${JSON.stringify(toErrorBody(fault))}\n` }],
    vanished: ask => [toDelta(ask, {})],
    done: (_, fault) => [{ data: toErrorBody(fault) }, { data: '[DONE]' }],
  } satisfies Record<string, (ask: Ask, fault: Fault) => Iterable<StreamEvent>>),
)
