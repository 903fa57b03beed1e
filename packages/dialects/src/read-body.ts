import { GatewayError } from '@millrace/core'
import type { z } from 'zod'
import type { Members } from './dialect.ts'

/** Members that would choose where a request goes or with whose key: only the configuration does that. */
const REFUSED = [
  'api_base',
  'api_key',
  'api_type',
  'api_version',
  'azure_ad_token',
  'base_url',
  'custom_llm_provider',
  'default_headers',
  'extra_body',
  'extra_headers',
  'extra_query',
  'headers',
  'organization',
  'proxy',
]

/**
 * A body as its schema reads it.
 * @throws {GatewayError} `missing_required_parameter`, `invalid_value`, `unsupported_parameter`, each with `param`
 */
export function readBody<Request>(schema: z.ZodType<Request>, body: Members): Request {
  for (const name of REFUSED) {
    if (body[name] != null) {
      throw new GatewayError(
        'unsupported_parameter',
        `The member "${name}" is not taken from clients: the gateway's configuration says where requests go.`,
        { param: name },
      )
    }
  }
  return readMember(schema, body, [])
}

/**
 * A part of a body as its schema reads it; `path` is where it stands.
 * @throws {GatewayError} `missing_required_parameter`, `invalid_value`, each with `param`
 */
export function readMember<Member>(schema: z.ZodType<Member>, value: unknown, path: readonly PropertyKey[]): Member {
  const { data, error } = schema.safeParse(value)
  if (error === undefined) return data
  const issue = error.issues[0]!
  const param = toParam([...path, ...issue.path])
  if (valueAt(value, issue.path) === undefined) {
    throw new GatewayError('missing_required_parameter', `The member "${param}" is required.`, { param })
  }
  throw new GatewayError('invalid_value', `The member "${param}" is not valid: ${issue.message}.`, { param })
}

/** `messages[0].role` */
export function toParam(path: readonly PropertyKey[]): string {
  return path
    .map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? String(step) : `.${String(step)}`))
    .join('')
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce((value, step) => (value as Record<PropertyKey, unknown> | undefined)?.[step], body)
}
