import { createHash } from 'node:crypto'

const ACCEPTED = /^[a-zA-Z][\w-]{0,63}$/
const MAX_READABLE = 55

/** The names of tools as the service takes them, and the way back. */
export interface ToolNames {
  /** The name to send: at most 64 of `a-zA-Z0-9_-`, a letter first. The same for the same name, and for no other. */
  toSent(name: string): string
  /** All names sent so far. */
  readonly all: Iterable<string>
  /** Names sent → names the client uses, where they differ. */
  changed(): ReadonlyMap<string, string>
}

export function createToolNames(): ToolNames {
  const sentBy = new Map<string, string>()
  const taken = new Set<string>()

  function toSent(name: string): string {
    const known = sentBy.get(name)
    if (known !== undefined) return known
    let sent = ACCEPTED.test(name) ? name : shorten(name, '')
    for (let round = 2; taken.has(sent); round++) sent = shorten(name, String(round))
    sentBy.set(name, sent)
    taken.add(sent)
    return sent
  }

  return {
    toSent,
    all: taken,
    changed: () => new Map([...sentBy].filter(([name, sent]) => name !== sent).map(([name, sent]) => [sent, name])),
  }
}

/**
 * What can be read of a name, and eight digits of a hash. It depends on nothing but the name, so that it stays the same
 * when a client adds tools in the middle of a conversation.
 */
function shorten(name: string, salt: string): string {
  const readable = name.replaceAll(/[^\w-]/g, '_').replace(/^(?![a-zA-Z])/, 't_')
  const hash = createHash('sha256').update(name).update(salt).digest('hex')
  return `${readable.slice(0, MAX_READABLE)}_${hash.slice(0, 8)}`
}
