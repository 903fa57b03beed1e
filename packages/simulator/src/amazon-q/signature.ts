import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { ServiceError } from './exceptions.ts'
import type { Asked } from './route.ts'

/** A key with which requests are signed. */
export interface AccessKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Where given, requests must bring it. */
  readonly sessionToken?: string | undefined
  /** Whose quota it uses; one of its own where not given. */
  readonly account?: string | undefined
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const SERVICE = 'q'
const MAX_SKEW_MS = 5 * 60_000
const NEEDED_HEADERS = ['host', 'x-amz-date']

/**
 * The key that signed a request.
 * @throws {ServiceError} there is no signature, it is of an unknown key, too old, or not the one that it should be
 */
export function verifySignature(asked: Asked, find: (id: string) => AccessKey | undefined, now: number): AccessKey {
  const { headers } = asked
  const signed = parseAuthorization(headers.authorization)
  const date = headers['x-amz-date']?.toString() ?? ''
  const [keyId = '', day = '', region = '', service, terminator] = signed.scope
  if (!NEEDED_HEADERS.every(name => signed.headers.includes(name)) || !date.startsWith(day)) {
    throw new ServiceError('incomplete-signature')
  }
  const key = find(keyId)
  if (key === undefined || key.sessionToken !== headers['x-amz-security-token']) throw new ServiceError('unknown-key')
  if (!(Math.abs(now - toMoment(date)) <= MAX_SKEW_MS)) throw new ServiceError('late-signature')

  const scope = [day, region, SERVICE, 'aws4_request']
  const text = [ALGORITHM, date, scope.join('/'), hash(canonicalRequest(asked, signed.headers))].join('\n')
  const secret = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${key.secretAccessKey}`)
  const given = Buffer.from(signed.signature, 'hex')
  const expected = hmac(secret, text)
  const isRight = given.length === expected.length && timingSafeEqual(given, expected)
  if (service !== SERVICE || terminator !== 'aws4_request' || !isRight) throw new ServiceError('invalid-signature')
  return key
}

interface Signed {
  /** Key, day, region, service, terminator. */
  readonly scope: readonly string[]
  readonly headers: readonly string[]
  readonly signature: string
}

function parseAuthorization(text = ''): Signed {
  const [, fields] = new RegExp(`^${ALGORITHM} (.+)$`).exec(text) ?? []
  const members = new Map((fields ?? '').split(/,\s*/).map(field => field.split(/=(.*)/s) as [string, string]))
  const [scope, headers, signature] = ['Credential', 'SignedHeaders', 'Signature'].map(name => members.get(name))
  if (!scope || !headers || !signature) throw new ServiceError('incomplete-signature')
  return { scope: scope.split('/'), headers: headers.split(';'), signature }
}

function canonicalRequest({ method, path, query, headers, body }: Asked, names: readonly string[]): string {
  const lines = names.map(
    name =>
      `${name}:${String(headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  )
  return [method, toCanonicalPath(path), toCanonicalQuery(query), lines.join(''), names.join(';'), hash(body)].join(
    '\n',
  )
}

/** Each part encoded once more than it came. */
function toCanonicalPath(path: string): string {
  return path.split('/').map(encode).join('/')
}

function toCanonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** `20250102T030405Z` → milliseconds since 1970. */
function toMoment(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}
