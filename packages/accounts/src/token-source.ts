import { setTimeout as sleep } from 'node:timers/promises'
import { toSafeText } from '@millrace/core'
import { systemClock, type Clock } from './clock.ts'
import { createCredentialFile, NoCredential, type CredentialFormat } from './credential-file.ts'
import { CredentialError, RefreshRefused } from './credential-error.ts'
import { tryLock, type Lock } from './lock-file.ts'
import { orAborted } from './or-aborted.ts'
import { wordsOf } from './words-of.ts'

/** What every kind of OAuth credential has. */
export interface Credential {
  readonly accessToken: string
  /** Unix time, milliseconds; without it the token works until the upstream says otherwise. */
  readonly expiresAt?: number | undefined
}

export interface TokenSourceOptions<Kind extends Credential> extends CredentialFormat<Kind> {
  /** The account, as messages name it. */
  readonly name: string
  /** The file with the credential. Other programs may use it too. */
  readonly path: string
  /** The lock that all programs take which refresh this credential; by default the path with `.lock` for `.json`. */
  readonly lockPath?: string | undefined
  /** What makes a new sign-in, as the end of a sentence: ``run `…` ``. */
  readonly mend: string
  /**
   * Asks the sign-in server for a new credential; it keeps what the answer leaves out.
   * @throws {RefreshRefused} the credential is worth nothing any more
   */
  readonly refresh: (credential: Kind, signal: AbortSignal) => Promise<Kind>
  /** Told in words what goes wrong where no request suffers from it yet. */
  readonly onProblem?: ((message: string) => void) | undefined
  /** How long a renewal may take, and so how long anybody waits for it, milliseconds. */
  readonly limitMs?: number | undefined
  readonly clock?: Clock | undefined
}

/** One OAuth credential: kept in a file, renewed in time, by one process and once, however many ask for it. */
export interface TokenSource<Kind extends Credential> {
  /**
   * A credential that works, as far as can be known. Near its end it is renewed in the background.
   * @throws {CredentialError} there is none, and none can be had for now
   * @throws {GatewayError} when `signal` fires
   */
  get(signal?: AbortSignal): Kind | Promise<Kind>
  /** Another credential than the one with this token, which the upstream has refused. @throws as `get` */
  forceRefresh(refusedToken: string, signal?: AbortSignal): Kind | Promise<Kind>
  /** Keeps a credential that a sign-in has given. @throws {Error} of the file system */
  store(credential: Kind): Promise<void>
  /** Whether somebody else has renewed the credential in the file. */
  isRenewed(): Promise<boolean>
}

/** When to try again after one failure, which each further one in a row doubles, milliseconds. */
interface Backoff {
  readonly firstMs: number
  readonly maxMs: number
}

const AFTER_REFUSAL: Backoff = { firstMs: 60_000, maxMs: 1_800_000 }
const AFTER_FAILURE: Backoff = { firstMs: 10_000, maxMs: 300_000 }

const LIMIT_MS = 10_000
/** A lock outlives the longest renewal by this. */
const LOCK_MARGIN_MS = 2000
const LOCK_POLL_MS = 100

/** A token is renewed in the last fifth of its life, but not before the last 5 minutes. */
const AGING_SHARE = 0.2
const AGING_MS = 300_000
/** It counts as expired this much before its end, so that it is still good when it arrives. */
const EXPIRY_SHARE = 0.1
const EXPIRY_MS = 30_000

interface Failure {
  readonly cause: unknown
  /** Only a new sign-in mends it. */
  readonly isFinal: boolean
  readonly count: number
  readonly nextTryAt: number
}

export function createTokenSource<Kind extends Credential>(options: TokenSourceOptions<Kind>): TokenSource<Kind> {
  const { name, path, mend, refresh, onProblem = () => {}, limitMs = LIMIT_MS, clock = systemClock } = options
  const lockPath = options.lockPath ?? `${path.replace(/\.json$/, '')}.lock`
  const file = createCredentialFile(path, options)
  let credential: Kind | undefined
  let issuedAt = 0
  /** The token that the upstream has refused, whatever its time. */
  let refusedToken: string | undefined
  let renewal: Promise<Kind> | undefined
  let failed: Failure | undefined

  function accept(next: Kind, at: number): void {
    credential = next
    issuedAt = at
    failed = undefined
  }

  function lifeOf({ expiresAt }: Kind): { left: number; whole: number } {
    if (expiresAt === undefined) return { left: Infinity, whole: Infinity }
    return { left: expiresAt - clock.now(), whole: Math.max(0, expiresAt - issuedAt) }
  }

  function works(candidate: Kind): boolean {
    const { left, whole } = lifeOf(candidate)
    return candidate.accessToken !== refusedToken && left > Math.min(EXPIRY_MS, EXPIRY_SHARE * whole)
  }

  function isAging(candidate: Kind): boolean {
    const { left, whole } = lifeOf(candidate)
    return left <= Math.min(AGING_MS, AGING_SHARE * whole)
  }

  /** The credential in hand if it works. */
  function working(): Kind | undefined {
    return credential !== undefined && works(credential) ? credential : undefined
  }

  /** Takes over what another program has put into the file; if that works, there is nothing left to do. */
  async function adopt(): Promise<Kind | undefined> {
    const change = await file.readChange()
    if (change === undefined) return undefined
    accept(change.credential, Math.min(change.writtenAt, clock.now()))
    return working()
  }

  function renew(): Promise<Kind> {
    renewal ??= renewWithin(limitMs).finally(() => (renewal = undefined))
    return renewal
  }

  async function renewWithin(ms: number): Promise<Kind> {
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), ms)
    try {
      const adopted = await adopt()
      if (adopted !== undefined) return adopted
      if (!mayTry()) throw failed?.cause
      return await renewUnderLock(late.signal)
    } catch (error) {
      const cause = late.signal.aborted ? new Error(`no answer within ${ms / 1000} s`, { cause: error }) : error
      const failure = (mayTry() ? undefined : failed) ?? toFailure(cause)
      failed = failure
      const reported = toCredentialError(failure)
      if (working() !== undefined) onProblem(reported.message)
      throw reported
    } finally {
      clearTimeout(timer)
    }
  }

  function mayTry(): boolean {
    return failed === undefined || clock.elapsed() >= failed.nextTryAt
  }

  async function renewUnderLock(signal: AbortSignal): Promise<Kind> {
    const lock = await acquire(signal)
    try {
      return (await adopt()) ?? (await renewAlone(lock, signal))
    } finally {
      await lock?.release()
    }
  }

  /** The lock; undefined where none can be had, as nothing can be written there. */
  async function acquire(signal: AbortSignal): Promise<Lock | undefined> {
    for (;;) {
      try {
        const lock = await tryLock(lockPath, { holdMs: limitMs + LOCK_MARGIN_MS, clock })
        if (lock !== undefined) return lock
      } catch (error) {
        onProblem(
          `${lockPath} cannot be written (${wordsOf(error)}): other processes may renew ${name} at the same time.`,
        )
        return undefined
      }
      await sleep(LOCK_POLL_MS, undefined, { signal })
    }
  }

  async function renewAlone(lock: Lock | undefined, signal: AbortSignal): Promise<Kind> {
    if (credential === undefined) throw new NoCredential('its credential file is not there')
    let fresh: Kind
    try {
      fresh = await orAborted(refresh(credential, signal), signal)
    } catch (error) {
      // A refresh token is good for one use, and a program that takes no lock may have been quicker.
      const adopted = error instanceof RefreshRefused ? await adopt() : undefined
      if (adopted !== undefined) return adopted
      throw error
    }
    if (lock !== undefined && !(await lock.isHeld())) {
      const adopted = await adopt()
      if (adopted !== undefined) return adopted
    }
    await save(fresh)
    if (!works(fresh)) throw new Error('the sign-in server gave a token that has expired already')
    return fresh
  }

  async function save(fresh: Kind): Promise<void> {
    try {
      await file.write(fresh)
    } catch (error) {
      onProblem(`${path} cannot be written (${wordsOf(error)}): ${name} has to sign in anew after a restart.`)
    }
    accept(fresh, clock.now())
    refusedToken = undefined
  }

  function toFailure(cause: unknown): Failure {
    const isFinal = cause instanceof RefreshRefused || cause instanceof NoCredential
    const count = failed?.isFinal === isFinal ? failed.count + 1 : 1
    const { firstMs, maxMs } = isFinal ? AFTER_REFUSAL : AFTER_FAILURE
    return { cause, isFinal, count, nextTryAt: clock.elapsed() + Math.min(firstMs * 2 ** (count - 1), maxMs) }
  }

  function toCredentialError({ cause, isFinal, nextTryAt }: Failure): CredentialError {
    const untilMs = clock.now() + Math.max(0, Math.ceil(nextTryAt - clock.elapsed()))
    const words = toSafeText(wordsOf(cause))
    const message = isFinal
      ? `${name} has no valid sign-in (${words}): ${mend}.`
      : `The sign-in of ${name} cannot be renewed for now (${words}).`
    return new CredentialError(message, { untilMs, cause })
  }

  return {
    get(signal) {
      const current = working()
      if (current === undefined) return orAborted(renew(), signal)
      // A failure has been told, and the token still works.
      if (isAging(current) && mayTry()) renew().catch(() => {})
      return current
    },
    forceRefresh(token, signal) {
      if (credential === undefined || credential.accessToken === token) refusedToken = token
      return working() ?? orAborted(renew(), signal)
    },
    async store(next) {
      const lock = await acquire(AbortSignal.timeout(limitMs))
      try {
        // For the members that are not ours.
        await file.readChange().catch(() => undefined)
        await file.write(next)
        accept(next, clock.now())
        refusedToken = undefined
      } finally {
        await lock?.release()
      }
    },
    isRenewed: () => file.hasChanged(),
  }
}
