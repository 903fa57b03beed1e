import { randomUUID } from 'node:crypto'
import { link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTokenSource, CredentialError, RefreshRefused, type TokenSource } from '@millrace/accounts'
import { parseObject, toSafeText } from '@millrace/core'
import { readDatabase } from './database.ts'
import { isExpired, parseLogin, toOwnMembers, type LoginCredential } from './login-credential.ts'
import type { LoginTokens, LoginTokensOptions } from './login-tokens.ts'
import { renewLogin } from './renew-login.ts'

/** When to look again for a database that cannot be used, milliseconds. */
const READ_AGAIN_MS = 60_000

/**
 * The tokens of a login in the database of a command line, which is never written. What is renewed is kept in a file
 * beside it, for as long as the database has the login that the file goes back to: a new one, or one that its program
 * has renewed, counts more.
 */
export function createDatabaseTokens(options: LoginTokensOptions): LoginTokens {
  const { server, name, path, onProblem = () => {} } = options
  let copyPath = `${path}.millrace.json`
  let source = createSource()
  let taken: Promise<void> | undefined

  function createSource(): TokenSource<LoginCredential> {
    return createTokenSource({
      ...options,
      path: copyPath,
      mend: 'log in again with the program that its database belongs to',
      parse: parseLogin,
      toMembers: toOwnMembers,
      refresh: renew,
    })
  }

  async function renew(credential: LoginCredential, signal: AbortSignal): Promise<LoginCredential> {
    const latest = await latestOf(credential)
    if (latest !== credential && !isExpired(latest, Date.now())) return latest
    try {
      return await renewLogin(server, latest, { path, signal })
    } catch (error) {
      // Its program may have been quicker, and refresh tokens are good for one use.
      const later = error instanceof RefreshRefused ? await latestOf(latest) : latest
      if (later === latest) throw error
      return isExpired(later, Date.now()) ? renewLogin(server, later, { path, signal }) : later
    }
  }

  /** What the database has if that is another login, else the same. */
  async function latestOf(credential: LoginCredential): Promise<LoginCredential> {
    const theirs = await readDatabase(path).catch(() => credential)
    return theirs.copiedFrom === credential.copiedFrom ? credential : theirs
  }

  /** Takes over what is new in the database; false where nothing is. @throws {Error} the database has none */
  async function takeOver(): Promise<boolean> {
    const theirs = await readDatabase(path)
    const copy = parseObject(await readFile(copyPath, 'utf8').catch(() => ''))
    if (copy?.['copiedFrom'] === theirs.copiedFrom) return false
    try {
      if (copy === undefined) await create(copyPath, `${JSON.stringify(toOwnMembers(theirs), undefined, 2)}\n`)
      else await source.store(theirs)
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      onProblem(`${copyPath} cannot be written (${code}): what is renewed of ${name} is lost with a restart.`)
      copyPath = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'login.json')
      source = createSource()
      await source.store(theirs)
    }
    return true
  }

  function ready(): Promise<void> {
    taken ??= takeOver().then(
      () => {},
      (error: unknown) => {
        taken = undefined
        const words = toSafeText(error instanceof Error ? error.message : '')
        const message = `${name} has no valid sign-in (${words}): log in with the program that its database belongs to.`
        throw new CredentialError(message, { untilMs: Date.now() + READ_AGAIN_MS, cause: error })
      },
    )
    return taken
  }

  return {
    async get(signal) {
      await ready()
      return source.get(signal)
    },
    async forceRefresh(refused, signal) {
      await ready()
      return source.forceRefresh(refused, signal)
    },
    isRenewed: () => takeOver().then(isNew => isNew || source.isRenewed()),
  }
}

/** Makes a file with all that it says, unless another process was quicker and may have renewed its tokens by now. */
async function create(path: string, text: string): Promise<void> {
  const temporary = `${path}.tmp.${randomUUID()}`
  try {
    await writeFile(temporary, text, { flag: 'wx', mode: 0o600 })
    await link(temporary, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(temporary, { force: true })
  }
}
