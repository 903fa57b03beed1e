/** A chunk as clients read it. */
interface SeenChunk {
  readonly id: string
  readonly object: string
  readonly created: number
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly delta: {
      readonly role?: string
      readonly content?: string | null
      readonly reasoning_content?: string
      readonly tool_calls?: readonly { readonly index: number; readonly function: { readonly arguments?: string } }[]
    }
    readonly finish_reason: string | null
  }[]
  readonly usage?: Readonly<Record<string, unknown>> | null
}

/** The error envelope. */
export interface SeenError {
  readonly message: string
  readonly type: string
  readonly param: string | null
  readonly code: string
}

export interface SeenStream {
  readonly chunks: readonly SeenChunk[]
  readonly comments: readonly string[]
  /** The one error event with which a failed stream ends. */
  readonly error: SeenError | undefined
  readonly done: boolean
  /** All text of the first choice. */
  readonly content: string
  readonly finishes: readonly string[]
}

/**
 * A body of an event stream → what it says.
 * @throws {Error} where it breaks the grammar of the stream contract (§2), or goes on behind its end
 */
export function parseClientStream(text: string): SeenStream {
  const blocks = text.split('\n\n')
  if (blocks.pop() !== '') throw new Error(`The stream ends in the middle of an event: ${text.slice(-200)}`)
  const chunks: SeenChunk[] = []
  const comments: string[] = []
  let error: SeenError | undefined
  let done = false
  for (const block of blocks) {
    if (done || error !== undefined) throw new Error(`There is more behind the end: ${block}`)
    if (block.startsWith(':') && !/[\r\n]/.test(block)) comments.push(block)
    else if (!/^data: [^\r\n\u0085\u2028\u2029]+$/.test(block)) throw new Error(`That is no event: ${block}`)
    else if (block === 'data: [DONE]') done = true
    else {
      const value = JSON.parse(block.slice('data: '.length)) as SeenChunk | { readonly error: SeenError }
      if ('error' in value) error = value.error
      else chunks.push(value)
    }
  }
  const choices = chunks.flatMap(({ choices }) => choices.filter(({ index }) => index === 0))
  const finishes = choices.flatMap(({ finish_reason }) => finish_reason ?? [])
  checkHeads(chunks)
  if (chunks.length > 0 && choices.filter(({ delta }) => delta.role === 'assistant').length !== 1) {
    throw new Error('The role does not come exactly once.')
  }
  if (finishes.length > 1 || done !== (finishes.length === 1)) {
    throw new Error(`[DONE] came ${done ? '' : 'not '}with these finish reasons: ${finishes.join()}`)
  }
  return { chunks, comments, error, done, finishes, content: choices.map(({ delta }) => delta.content ?? '').join('') }
}

function checkHeads(chunks: readonly SeenChunk[]): void {
  const heads = new Set(chunks.map(({ id, object, created, model }) => JSON.stringify([id, object, created, model])))
  if (heads.size > 1) throw new Error(`The chunks differ in their heads: ${[...heads].join(' ')}`)
}
