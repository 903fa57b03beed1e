import { isObject, parseJson } from '@millrace/core'
import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Clock } from './clock.ts'
import { removeLeftovers } from './write-atomically.ts'

/** Exclusive use of something between processes, until it is released or its time is over. */
export interface Lock {
  /** Greater than that of every holder before. */
  readonly fence: number
  /** Whether nobody has taken it over meanwhile. */
  isHeld(): Promise<boolean>
  release(): Promise<void>
}

export interface LockOptions {
  /** After this time others may take the lock over, milliseconds. */
  readonly holdMs: number
  readonly clock: Clock
}

/** What a lock file says. A file of another program says nothing that can be read, only when it was made. */
interface Holder {
  readonly text: string
  readonly fence: number
  readonly expiresAt: number
  readonly isDead: boolean
}

/**
 * The lock at `path`, or undefined while another holds it. It is a file that is there while the lock is held, as other
 * programs do it too; it names its owner, its fencing number, and when it expires. A lock that has expired, or whose owner
 * on this machine has died, is taken over. As with all locks that expire, whoever held it for long must ask
 * {@link Lock.isHeld} before what must not happen twice.
 * @throws {Error} of the file system, where no file can be made, or no hard link
 */
export async function tryLock(path: string, { holdMs, clock }: LockOptions): Promise<Lock | undefined> {
  const before = await readHolder(path, holdMs)
  const now = clock.now()
  if (before !== undefined) {
    // One that expires later than any lock can was made before the clock was set back.
    const hasExpired = now >= before.expiresAt || before.expiresAt > now + 2 * holdMs
    if (!hasExpired && !before.isDead) return undefined
    if (!(await takeAway(path, before))) return undefined
    await removeLeftovers(path, now)
  }
  const fence = Math.max(now, (before?.fence ?? 0) + 1)
  const text = JSON.stringify({ owner: `${hostname()}:${process.pid}:${randomUUID()}`, fence, expiresAt: now + holdMs })
  if (!(await create(path, text))) return undefined

  const isHeld = async (): Promise<boolean> => (await readText(path)) === text
  return {
    fence,
    isHeld,
    async release() {
      // One that cannot be removed expires.
      if (await isHeld()) await rm(path, { force: true }).catch(() => {})
    },
  }
}

/** Makes the lock file with all that it says, so that it is never seen empty, not even after a crash. */
async function create(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.tmp.${randomUUID()}`
  try {
    await writeFile(temporary, text, { flag: 'wx', mode: 0o600 })
    await link(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

/** Removes the lock of `holder`; false where another one took its place in the meantime. */
async function takeAway(path: string, holder: Holder): Promise<boolean> {
  const aside = `${path}.tmp.${randomUUID()}`
  try {
    await rename(path, aside)
  } catch {
    return false
  }
  const isOld = (await readText(aside)) === holder.text
  // The lock of somebody who was quicker: it goes back, unless the next one has come by now.
  if (!isOld) await create(path, (await readText(aside)) ?? '')
  await rm(aside, { force: true })
  return isOld
}

async function readHolder(path: string, holdMs: number): Promise<Holder | undefined> {
  const text = await readText(path)
  const madeAt = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
  if (text === undefined || madeAt === undefined) return undefined
  const value = parseJson(text)
  const { owner, fence, expiresAt } = isObject(value) ? value : {}
  if (typeof owner !== 'string' || typeof fence !== 'number' || typeof expiresAt !== 'number') {
    return { text, fence: 0, expiresAt: madeAt + holdMs, isDead: false }
  }
  return { text, fence, expiresAt, isDead: isDead(owner, madeAt) }
}

/** Whether the process that made a lock is known to have ended. */
function isDead(owner: string, madeAt: number): boolean {
  const [host, pid] = owner.split(':')
  if (host !== hostname()) return false
  // In a container every process has the same number as the one before it.
  if (Number(pid) === process.pid) return madeAt < Date.now() - process.uptime() * 1000
  try {
    process.kill(Number(pid), 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
