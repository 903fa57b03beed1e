import { mkdir, readFile, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isObject, parseJson, type AccountStates, type KeptAccount, type KeptAccounts } from '@millrace/core'
import { systemClock, type Clock } from './clock.ts'
import { parseKeptAccount } from './kept-account.ts'
import { wordsOf } from './words-of.ts'
import { removeLeftovers, writeAtomically } from './write-atomically.ts'

/** What is known of all accounts, kept in one file over restarts. Closing it writes what has not been written yet. */
export interface StateFile extends AccountStates, AsyncDisposable {
  /** What has changed up to now is in the file, or {@link StateFileOptions.onProblem} has been told why not. */
  flush(): Promise<void>
}

export interface StateFileOptions {
  /** Told in words what is wrong with the file; what is known is then kept in memory, and writing is tried again. */
  readonly onProblem?: (message: string) => void
  readonly clock?: Clock
}

const VERSION = 1
const WRITE_INTERVAL_MS = 1000

/**
 * The states in the file at `path`, which need not exist. Never fails: a file that cannot be read is set aside. It is meant
 * for one process: where several write it, whatever was written last is in it, and each is told of it once.
 */
export async function openStateFile(
  path: string,
  { onProblem = () => {}, clock = systemClock }: StateFileOptions = {},
): Promise<StateFile> {
  const kept = new Map<string, KeptAccounts>()
  const sources = new Map<string, () => KeptAccounts>()
  let dirty = false
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let writtenAt = -Infinity
  let unwritable = false
  let closed = false
  let isShared = false

  for (const [provider, accounts] of await readStates(path, clock.now(), onProblem)) kept.set(provider, accounts)
  let mark = await markOf(path)

  function collect(): string {
    for (const [provider, snapshot] of sources) kept.set(provider, snapshot())
    const providers = Object.fromEntries(
      Array.from(kept, ([provider, accounts]) => [provider, Object.fromEntries(accounts)] as const),
    )
    return `${JSON.stringify({ version: VERSION, providers }, undefined, 2)}\n`
  }

  async function write(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    writtenAt = clock.elapsed()
    dirty = false
    try {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      await noticeOthers()
      await writeAtomically(path, collect())
      mark = await markOf(path)
      unwritable = false
    } catch (error) {
      if (!unwritable) {
        onProblem(`The account states are kept in memory only, as ${path} cannot be written: ${wordsOf(error)}.`)
      }
      unwritable = true
      dirty = true
    }
  }

  async function noticeOthers(): Promise<void> {
    const current = await markOf(path)
    if (isShared || current === undefined || current === mark) return
    isShared = true
    onProblem(`Another process writes ${path} as well, and what is written last counts: give each gateway its own.`)
  }

  /** One write at a time; what changes during one goes into the next. */
  function writeSoon(): void {
    if (timer !== undefined || writing !== undefined) return
    const wait = Math.max(0, writtenAt + WRITE_INTERVAL_MS - clock.elapsed())
    timer = setTimeout(() => void writeNow(), wait).unref()
  }

  function writeNow(): Promise<void> {
    writing ??= write().finally(() => {
      writing = undefined
      if (dirty && !closed) writeSoon()
    })
    return writing
  }

  async function flush(): Promise<void> {
    await writing
    if (dirty) await writeNow()
  }

  return {
    attach(provider, snapshot) {
      const known = sources.get(provider)?.() ?? kept.get(provider) ?? new Map()
      sources.set(provider, snapshot)
      return known
    },
    changed() {
      if (closed) return
      dirty = true
      writeSoon()
    },
    flush,
    async [Symbol.asyncDispose]() {
      closed = true
      await flush()
    },
  }
}

/** Tells a file from the one that takes its place; undefined where there is none. */
async function markOf(path: string): Promise<string | undefined> {
  return stat(path).then(
    ({ ino, mtimeMs }) => `${ino} ${mtimeMs}`,
    () => undefined,
  )
}

async function readStates(
  path: string,
  now: number,
  onProblem: (message: string) => void,
): Promise<Map<string, KeptAccounts>> {
  await removeLeftovers(path, now)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      onProblem(`The account states in ${path} cannot be read: ${wordsOf(error)}. All accounts start afresh.`)
    }
    return new Map()
  }
  const providers = parseStates(text)
  if (providers !== undefined) return providers
  const aside = `${path}.corrupt-${now}`
  const moved = await rename(path, aside).then(
    () => `It was set aside as ${aside}.`,
    (error: unknown) => `It could not be set aside: ${wordsOf(error)}.`,
  )
  onProblem(`${path} does not hold account states. ${moved} All accounts start afresh.`)
  return new Map()
}

/** Entries that cannot be understood are left out; undefined where nothing can be. */
function parseStates(text: string): Map<string, KeptAccounts> | undefined {
  const value = parseJson(text)
  if (!isObject(value) || value['version'] !== VERSION || !isObject(value['providers'])) return undefined
  const providers = new Map<string, KeptAccounts>()
  for (const [provider, accounts] of Object.entries(value['providers'])) {
    if (!isObject(accounts)) continue
    const known = new Map<string, KeptAccount>()
    for (const [name, account] of Object.entries(accounts)) {
      const parsed = parseKeptAccount(account)
      if (parsed !== undefined) known.set(name, parsed)
    }
    providers.set(provider, known)
  }
  return providers
}
