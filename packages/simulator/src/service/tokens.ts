import type { SimulatedClock } from './clock.ts'

/** An access token, and the refresh token that came with it. */
export interface IssuedToken {
  readonly accessToken: string
  readonly refreshToken: string
  readonly account: string
  /** On the simulator's clock. */
  expiresAt: number
  /** Whether there is a newer access token in its place. */
  replaced: boolean
}

/** What to issue; tokens have names of their own where nothing is said. */
interface TokenWish {
  readonly account: string
  readonly expiresInMs: number
  readonly accessToken?: string | undefined
  readonly refreshToken?: string | undefined
}

export interface Tokens {
  issue(wish: TokenWish): IssuedToken
  /** The token, if it opens doors now. */
  live(accessToken: string): IssuedToken | undefined
  /** The latest token that came with this refresh token, if that has not been used up. */
  refreshable(refreshToken: string): IssuedToken | undefined
  /** A new pair in place of this one, which is worth nothing then; the refresh token stays where `keep` says so. */
  replace(token: IssuedToken, expiresInMs: number, keep: boolean): IssuedToken
  /** Ends an access token's life, or takes a refresh token away. False: there is none of that name. */
  expire(name: string): boolean
  /** The name of the account whose access or refresh token this is. */
  accountOf(name: string): string | undefined
  all(): readonly IssuedToken[]
  reset(): void
}

const MAX_KEPT = 10_000

/** What token number `count` is called; `kind` tells access and refresh tokens apart. */
export type TokenNaming = (kind: 'at' | 'rt', count: number) => string

/** Where no naming is given, tokens are called `at_1`, `rt_1`, `at_2` and so on. */
export function createTokens(clock: SimulatedClock, toName: TokenNaming = (kind, count) => `${kind}_${count}`): Tokens {
  let issued: IssuedToken[] = []
  let spent = new Set<string>()
  let count = 0

  const isNamed = (token: IssuedToken, name: string): boolean =>
    token.accessToken === name || token.refreshToken === name

  function issue({ account, expiresInMs, accessToken, refreshToken }: TokenWish): IssuedToken {
    count++
    const token: IssuedToken = {
      accessToken: accessToken ?? toName('at', count),
      refreshToken: refreshToken ?? toName('rt', count),
      account,
      expiresAt: clock.now() + expiresInMs,
      replaced: false,
    }
    spent.delete(token.refreshToken)
    if (issued.push(token) > MAX_KEPT) issued.shift()
    return token
  }

  return {
    issue,
    live: accessToken =>
      issued.findLast(token => token.accessToken === accessToken && !token.replaced && clock.now() < token.expiresAt),
    refreshable: refreshToken =>
      spent.has(refreshToken) ? undefined : issued.findLast(token => token.refreshToken === refreshToken),
    replace(token, expiresInMs, keep) {
      token.replaced = true
      if (!keep) spent.add(token.refreshToken)
      return issue({ account: token.account, expiresInMs, refreshToken: keep ? token.refreshToken : undefined })
    },
    expire(name) {
      const token = issued.findLast(token => isNamed(token, name))
      if (token === undefined) return false
      if (token.accessToken === name) token.expiresAt = clock.now()
      else spent.add(name)
      return true
    },
    accountOf: name => issued.findLast(token => isNamed(token, name))?.account,
    all: () => issued,
    reset() {
      issued = []
      spent = new Set()
      count = 0
    },
  }
}
