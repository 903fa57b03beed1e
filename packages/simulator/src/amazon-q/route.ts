import type { Reply, ServiceRequest } from '../service/route.ts'
import { CONTENT_TYPES } from './error-answer.ts'
import type { Flavour } from './error-answer.ts'
import { ServiceError } from './exceptions.ts'

/** A request on its way to a route. */
export interface Asked extends ServiceRequest {
  readonly flavour: Flavour
}

/** @throws {ServiceError | OptionError} what is answered as the flavour has it */
export type Handle = (asked: Asked) => Reply | Promise<Reply>

/**
 * The object in a body.
 * @throws {ServiceError} there is none
 */
export function parseObject(body: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    throw new ServiceError('invalid-json')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ServiceError('invalid-body')
  return value as Readonly<Record<string, unknown>>
}

/**
 * What an operation is asked with: in the body, or in the query where there is no body.
 * @throws {ServiceError} the body is no object
 */
export function parametersOf({ method, query, body }: Asked): Readonly<Record<string, unknown>> {
  if (method === 'GET') return Object.fromEntries(query)
  return body === '' ? {} : parseObject(body)
}

export function toJsonReply(flavour: Flavour, value: object): Reply {
  return { answer: { body: JSON.stringify(value), defaults: { type: CONTENT_TYPES[flavour] } } }
}
