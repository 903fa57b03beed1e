import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { UpstreamReply } from '@millrace/core'
import { createUpstream } from '@millrace/upstream'

const MINUTE_MS = 60_000
const TIMEOUTS = { connect: 10_000, firstByte: 5 * MINUTE_MS, idle: 2 * MINUTE_MS, total: 10 * MINUTE_MS }

/** What stands in a fixture where a key was. */
const SCRUBBED = 'test-key'
const KEY_LIKE = /\b(?:sk|pk|rk|gsk|xai|key)-[\w-]{16,}|\beyJ[\w-]{10,}(?:\.[\w-]+)+/g

/** Headers that an answer is understood by. All others stay out: some name accounts. */
const KEPT_HEADERS: ReadonlySet<string> = new Set(['content-type', 'retry-after', 'retry-after-ms'])

const USAGE = `Makes a fixture of one live call: response, meta.json and request.json. What must become of it, chunks.json, is
yours to write. Read all of it before you commit it: keys are taken out, but what else the answer tells is not.

  --url URL      root of the API, up to and including /v1
  --model MODEL  the upstream's name for the model
  --out DIR      the fixture's folder, which must not exist yet
  --prompt TEXT  what to say (Say hello.)
  --request JSON more members of the request
  --whole        ask for a whole answer, not for a stream

The key, where one is needed, is taken from the environment variable RECORD_API_KEY, since command lines can be seen.
`

export interface Recording {
  /** Root of the API, up to and including `/v1`. */
  readonly url: string
  readonly model: string
  /** The folder to be made. */
  readonly out: string
  readonly prompt?: string | undefined
  readonly stream?: boolean | undefined
  /** More members of the request, such as `tools`. */
  readonly request?: Readonly<Record<string, unknown>> | undefined
  readonly apiKey?: string | undefined
}

/**
 * Makes one live call and writes it down as a fixture, byte by byte but for what looks like a key, whatever the status.
 * Resolves with how many bytes the answer had.
 * @throws {Error} `EEXIST`: the folder is there already; nothing was called then
 * @throws {UpstreamError} there was no answer, or not all of it; nothing is kept then
 */
export async function record(recording: Recording): Promise<number> {
  const { url, model, out, prompt = 'Say hello.', stream = true, request: more, apiKey } = recording
  const request = {
    model,
    messages: [{ role: 'user', content: prompt }],
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : undefined),
    ...more,
  }
  await mkdir(out)
  const { status, headers, body } = await call(recording, request).catch(async (error: unknown) => {
    await rmdir(out)
    throw error
  })
  const meta = {
    origin: 'recorded',
    date: new Date().toISOString().slice(0, 10),
    about: `One answer of ${new URL(url).host}, keys taken out.`,
    status,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => KEPT_HEADERS.has(name))),
  }
  const files = {
    [`response.${formatOf(headers['content-type'] ?? '')}`]: body,
    'meta.json': toJson(meta),
    'request.json': toJson({ request, model }),
  }
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(out, name), scrubbed(bytes, apiKey))
  return body.length
}

async function call(
  { url, stream = true, apiKey }: Recording,
  request: object,
): Promise<Omit<UpstreamReply, 'body'> & { readonly body: Buffer }> {
  await using upstream = createUpstream()
  const reply = await upstream.request({
    method: 'POST',
    url: new URL(`${url.replace(/\/+$/, '')}/chat/completions`),
    headers: {
      'content-type': 'application/json',
      accept: stream ? 'text/event-stream' : 'application/json',
      ...(apiKey === undefined ? undefined : { authorization: `Bearer ${apiKey}` }),
    },
    body: Buffer.from(JSON.stringify(request)),
    timeouts: TIMEOUTS,
    requestId: 'record',
    signal: new AbortController().signal,
  })
  return { ...reply, body: Buffer.concat(await Array.fromAsync(reply.body)) }
}

function formatOf(contentType: string): string {
  if (contentType.includes('event-stream')) return 'sse'
  if (/ndjson|jsonl/.test(contentType)) return 'ndjson'
  if (contentType.includes('json')) return 'json'
  return contentType.startsWith('text/') ? 'txt' : 'bin'
}

function toJson(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`)
}

function scrubbed(bytes: Buffer, apiKey: string | undefined): Buffer {
  // Byte by byte, so that all else stays as it is.
  const text = bytes.toString('latin1').replace(KEY_LIKE, SCRUBBED)
  const clean = apiKey === undefined ? text : text.replaceAll(Buffer.from(apiKey).toString('latin1'), SCRUBBED)
  return Buffer.from(clean, 'latin1')
}

const OPTIONS = {
  url: { type: 'string' },
  model: { type: 'string' },
  out: { type: 'string' },
  prompt: { type: 'string' },
  request: { type: 'string' },
  whole: { type: 'boolean', default: false },
} as const

if (import.meta.main) {
  const { url, model, out, prompt, request, whole } = parseArgs({ options: OPTIONS }).values
  if (url === undefined || model === undefined || out === undefined) {
    process.stderr.write(USAGE)
    process.exitCode = 64
  } else {
    const more = request === undefined ? undefined : (JSON.parse(request) as Record<string, unknown>)
    const apiKey = process.env['RECORD_API_KEY']
    const length = await record({ url, model, out, prompt, stream: !whole, request: more, apiKey })
    process.stdout.write(`${out}: ${length} bytes. Now write chunks.json.\n`)
  }
}
