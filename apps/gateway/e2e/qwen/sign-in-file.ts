import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SimulatedQwen } from '../simulated-service.ts'

export interface SignInFile extends AsyncDisposable {
  readonly path: string
  /** Tokens that nobody may ever see. */
  readonly secrets: readonly string[]
}

/** The file of a sign-in, as the official client writes it; its access token has expired, or expires in so many milliseconds. */
export async function createSignInFile(
  { url, control }: SimulatedQwen,
  {
    account,
    expiresInMs = -1000,
    accessToken = `at-canary-${account}`,
  }: {
    readonly account: string
    readonly expiresInMs?: number
    readonly accessToken?: string
  },
): Promise<SignInFile> {
  const refreshToken = `rt-canary-${account}`
  await control({ issueTokens: { account, refreshToken, accessToken, expiresIn: 3600 } })
  const folder = await mkdtemp(join(tmpdir(), 'millrace-sign-in-'))
  const path = join(folder, 'oauth_creds.json')
  await writeFile(
    path,
    JSON.stringify({
      access_token: accessToken,
      refresh_token: refreshToken,
      token_type: 'Bearer',
      resource_url: `${url}/portal`,
      expiry_date: Date.now() + expiresInMs,
    }),
  )
  return {
    path,
    secrets: [accessToken, refreshToken],
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
