import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { ChatRequest, FAILURES, type FailureCode } from '@millrace/core'
import { z } from 'zod'

const members = z.record(z.string(), z.json())

const Meta = z.strictObject({
  origin: z.enum(['hand', 'recorded']).describe('Made by hand, or one live answer as it came'),
  date: z.iso.date(),
  about: z.string().min(1).describe('After which shape it was made, and what is odd about it'),
  status: z.int().min(200).max(599).default(200),
  headers: z.record(z.string(), z.string()).default({ 'content-type': 'text/event-stream' }),
  holdsBack: z
    .boolean()
    .default(false)
    .describe('Text is held back until it is known what it is, and comes out otherwise where that is never known'),
})

const Asked = z.strictObject({
  request: ChatRequest.describe("The client's request"),
  model: z.string().describe("The model in the provider's vocabulary"),
  config: members.default({}).describe('Settings of the provider besides those of the test'),
  expected: members.optional().describe('The body that the upstream must get'),
})

const ExpectedChunk = z.looseObject({
  choices: z.array(z.looseObject({ index: z.int(), delta: members, finish_reason: z.string().nullable() })),
  usage: members.optional(),
})
export type ExpectedChunk = z.infer<typeof ExpectedChunk>

const ExpectedFailure = z.strictObject({
  error: z.strictObject({
    code: z.enum(Object.keys(FAILURES) as [FailureCode, ...FailureCode[]]),
    message: z.string(),
    param: z.string().optional(),
  }),
})
type ExpectedFailure = z.infer<typeof ExpectedFailure>

function isFailure(item: ExpectedChunk | ExpectedFailure): item is ExpectedFailure {
  return 'error' in item
}

function isChunk(item: ExpectedChunk | ExpectedFailure): item is ExpectedChunk {
  return !isFailure(item)
}

/** A tool call's id that no upstream gave: in `chunks.json` it stands for any. */
export const GENERATED = '<generated>'

/** How an answer is written down: `response.sse`, or another ending. */
const FORMATS = ['sse', 'json', 'ndjson', 'bin', 'txt'] as const

export interface Response {
  readonly format: (typeof FORMATS)[number]
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Buffer
}

/** One answer, and what must become of it. */
export interface Fixture {
  readonly name: string
  readonly request: ChatRequest
  readonly model: string
  readonly config: Readonly<Record<string, unknown>>
  readonly expectedBody: Readonly<Record<string, unknown>> | undefined
  /** What the upstream answers; undefined where the provider answers by itself. */
  readonly response: Response | undefined
  readonly chunks: readonly ExpectedChunk[]
  readonly holdsBack: boolean
  /** How the answer fails behind the chunks, where it does. */
  readonly failure: ExpectedFailure['error'] | undefined
}

/**
 * All cases of a `fixtures/` folder, by name.
 * @throws {Error} a file is missing, or is not what it should be; the message names it
 */
export async function readFixtures(folder: URL): Promise<Fixture[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const names = entries.filter(entry => entry.isDirectory()).map(entry => entry.name)
  return Promise.all(names.toSorted().map(name => readFixture(name, new URL(`${name}/`, folder))))
}

async function readFixture(name: string, folder: URL): Promise<Fixture> {
  const meta = await readJson(new URL('meta.json', folder), Meta)
  const { request, model, config, expected } = await readJson(new URL('request.json', folder), Asked)
  const expectation = await readJson(
    new URL('chunks.json', folder),
    z.array(z.union([ExpectedFailure, ExpectedChunk])).min(1),
  )
  const last = expectation.at(-1)!
  const failure = isFailure(last) ? last.error : undefined
  const chunks = expectation.filter(item => isChunk(item))
  if (chunks.length + (failure === undefined ? 0 : 1) < expectation.length)
    throw new Error(`${name}: chunks behind a failure`)
  const format = FORMATS.find(format => existsSync(new URL(`response.${format}`, folder)))
  const response = format && {
    format,
    status: meta.status,
    headers: meta.headers,
    bytes: await readFile(new URL(`response.${format}`, folder)),
  }
  return { name, request, model, config, expectedBody: expected, response, chunks, holdsBack: meta.holdsBack, failure }
}

async function readJson<Schema extends z.ZodType>(file: URL, schema: Schema): Promise<z.output<Schema>> {
  try {
    return schema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    throw new Error(`${file.pathname}: ${cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause)}`, {
      cause,
    })
  }
}
