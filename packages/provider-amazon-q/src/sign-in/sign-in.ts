import { expandHome } from '@millrace/accounts'
import { LoginError, toSafeText, type LoginRequest, type SignIn } from '@millrace/core'
import { accountsOf, type Account, type AmazonQConfig } from '../config.ts'
import { DEFAULT_REGION, PROFILE_ARN, REGION, regionOfSignIn } from '../regions.ts'
import { pollDeviceLogin, startDeviceLogin, type SignInPlace } from './device-login.ts'
import { BUILDER_ID, type LoginCredential } from './login-credential.ts'
import { kindOfFile, readLogin } from './login-file.ts'
import { createOwnTokens } from './login-tokens.ts'
import { findProfile } from './profile.ts'
import { readRegistration } from './renew-login.ts'

/** Signs in with AWS Builder ID or IAM Identity Center, or takes over a login that is there already. */
export const signIn: SignIn<AmazonQConfig> = {
  options: [
    {
      name: 'start-url',
      value: 'URL',
      description:
        'Where the organisation signs in, such as https://d-1234567890.awsapps.com/start; else AWS Builder ID',
    },
    {
      name: 'region',
      value: 'REGION',
      description: `The region of the organisation's sign-in; else ${DEFAULT_REGION}`,
    },
    {
      name: 'profile-arn',
      value: 'ARN',
      description:
        "The profile to use; else the organisation's only one, or the first in the region that serves requests",
    },
    {
      name: 'import',
      value: 'FILE',
      description: "Instead of a sign-in: the login in Amazon Q's or Kiro's data.sqlite3, or in kiro-auth-token.json",
    },
  ],

  fileOf(config, name) {
    const account = accountsOf(config).find(account => account.name === name)
    if (account === undefined) return undefined
    if ('sso' in account) return account.sso.file
    return 'login' in account ? account.login : undefined
  },

  toAccount: (name, path) => ({ name, sso: { file: path } }),

  async start(config, request, deps, signal) {
    const { name, path, options } = request
    const server = { upstream: deps.upstream, authUrl: config.authUrl }
    const tokens = createOwnTokens({ server, name, path, command: 'millrace login' })
    const store = (credential: LoginCredential): Promise<void> =>
      tokens.store(credential).catch((error: unknown) => fail(`${path} cannot be written`, error))

    const asked = options['profile-arn']
    if (asked !== undefined && !PROFILE_ARN.test(asked)) throw new LoginError('`--profile-arn` is no profile.')
    await refuseForeignFile(path)
    if (options['import'] !== undefined) {
      const login = await importLogin(expandHome(options['import']))
      await store({ ...login, profileArn: asked ?? login.profileArn })
      return undefined
    }
    const before = await readLogin(path).catch(() => undefined)
    const account = accountsOf(config).find(account => account.name === name)
    const place = placeOf(account, options, before)
    const isSamePlace = before?.startUrl === place.startUrl && before.region === place.region
    const choice = {
      asked: asked ?? account?.profileArn,
      last: isSamePlace ? before.profileArn : undefined,
      region: account?.region ?? config.region ?? regionOfSignIn(place.region),
    }
    const known = before?.region === place.region ? before.registration : undefined
    const login = await startDeviceLogin(server, place, { known, signal })
    return {
      url: login.verificationUrl,
      userCode: login.userCode,
      expiresAt: Date.now() + login.expiresInMs,
      async finish(signal) {
        const credential = await pollDeviceLogin(server, login, { signal })
        await store({ ...credential, profileArn: await findProfile(credential, choice, { config, deps, signal }) })
      },
    }
  },
}

/** As the command line says, else as the configuration does, else as the last time. @throws {LoginError} */
function placeOf(
  account: Account | undefined,
  options: LoginRequest['options'],
  before: LoginCredential | undefined,
): SignInPlace {
  const { startUrl, region } = account !== undefined && 'sso' in account ? account.sso : {}
  const place = {
    startUrl: options['start-url'] ?? startUrl ?? before?.startUrl ?? BUILDER_ID,
    region: options['region'] ?? region ?? before?.region ?? DEFAULT_REGION,
  }
  if (!URL.canParse(place.startUrl)) throw new LoginError('`--start-url` is no URL.')
  if (!REGION.test(place.region)) throw new LoginError('`--region` is no region: use one such as `us-east-1`.')
  return place
}

/** @throws {LoginError} the file belongs to another program, which would lose its login, or more */
async function refuseForeignFile(path: string): Promise<void> {
  const kind = await kindOfFile(path).catch((error: unknown) => fail(`${path} cannot be read`, error))
  if (kind === undefined || kind === 'own') return
  throw new LoginError(
    `${path} belongs to another program: log in with that, or name another file in the configuration.`,
  )
}

/** The login of another program, and all that it takes to renew it. @throws {LoginError} there is none */
async function importLogin(path: string): Promise<LoginCredential> {
  try {
    const login = await readLogin(path)
    return {
      ...login,
      registration: login.registration ?? (await readRegistration(login, path)),
      copiedFrom: undefined,
    }
  } catch (error) {
    return fail(`${path} cannot be imported`, error)
  }
}

/** @throws {LoginError} */
function fail(what: string, error: unknown): never {
  throw new LoginError(`${what}: ${toSafeText(error instanceof Error ? error.message : '')}`)
}
