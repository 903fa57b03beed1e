import { ACCOUNT_NAME, ACCOUNT_NAME_RULE } from '@millrace/accounts'
import { dialectSettings } from '@millrace/openai-dialect'
import { z } from 'zod'
import { DEFAULT_REGION, planOfKey, PLANS, REGIONS, regionsOf, type Plan, type Region } from './endpoints.ts'
import type { ConfigMistake } from '@millrace/core'

const key = z.string().describe('Key; in the file usually `${NAME}`, filled in from the environment')
const region = z.enum(REGIONS)
const plan = z.enum(PLANS)
const baseUrl = z.url()

const account = z.strictObject({
  name: z
    .string()
    .regex(ACCOUNT_NAME, `is no name for an account: ${ACCOUNT_NAME_RULE}`)
    .describe('What the log and the list of accounts call it'),
  apiKey: key.optional(),
  region: region.optional().describe("The region that the key was made in; else the provider's"),
  plan: plan.optional().describe("The plan that the key is of; else the provider's"),
  oauth: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Instead of a key: the file of a sign-in, such as `~/.qwen/oauth_creds.json`. The free tier behind sign-ins ended in April 2026.',
    ),
  baseUrl: baseUrl.optional().describe("Root of the API for this account; else the provider's"),
  authUrl: z.url().optional().describe("The sign-in server of this account; else the provider's"),
  owner: z
    .string()
    .min(1)
    .optional()
    .describe('The name of a key in `auth.keys`: the account serves only requests that come with it'),
  requestsPerMinute: z
    .int()
    .min(1)
    .max(100_000)
    .optional()
    .describe('How many requests the account takes in a minute; more go to others, or wait a little'),
})

export const config = z.strictObject({
  kind: z.literal('qwen'),
  apiKey: key.optional().describe('The key of the only account: short for `accounts` with one entry'),
  region: region
    .default(DEFAULT_REGION)
    .describe(
      'Where keys were made: Alibaba Cloud Model Studio has separate ones for each region, and refuses those of others',
    ),
  plan: plan
    .optional()
    .describe(
      'What keys are of: `payg` (pay-as-you-go), `coding` (Coding Plan) or `token` (Token Plan). Left out, keys that begin with `sk-sp-` are taken for `coding`, all others for `payg`.',
    ),
  accounts: z
    .array(account)
    .min(1)
    .max(1000)
    .optional()
    .describe(
      'Several keys and sign-ins, used in turn; one that is throttled, spent or refused is left out for a while',
    ),
  baseUrl: baseUrl
    .optional()
    .describe('Root of the API, up to and including `/v1`, instead of the one that region and plan stand for'),
  authUrl: z.url().optional().describe('The sign-in server, if not https://chat.qwen.ai'),
  workspace: z.string().min(1).optional().describe('Id of the workspace that keys of a sub-workspace belong to'),
  cumulative: z
    .enum(['auto', 'off'])
    .default('auto')
    .describe('Whether answers are watched for deltas that repeat all of the text so far, which then is cut off'),
  orphanThinkTag: z
    .enum(['strip', 'keep'])
    .default('strip')
    .describe('What becomes of a `</think>` at the end of a text in which nothing was opened'),
  dummyTool: z
    .boolean()
    .default(false)
    .describe(
      'Give models of the sign-in portal a tool to leave alone where the client has none: without any some babble',
    ),
  ...dialectSettings,
})
export type QwenConfig = z.infer<typeof config>

/** The accounts as the configuration means them: the provider's settings where an account has none of its own. */
export function accountsOf(settings: QwenConfig): readonly Account[] {
  const { accounts, apiKey } = settings
  const named: z.infer<typeof account>[] = accounts ?? (apiKey ? [{ name: 'default', apiKey }] : [])
  return named.map(account => {
    const { name, oauth, apiKey = '', owner, requestsPerMinute } = account
    const baseUrl = account.baseUrl ?? settings.baseUrl
    if (oauth !== undefined) {
      return { name, owner, requestsPerMinute, oauth, baseUrl, authUrl: account.authUrl ?? settings.authUrl }
    }
    const plan = account.plan ?? settings.plan ?? planOfKey(apiKey)
    return { name, owner, requestsPerMinute, apiKey, plan, region: account.region ?? settings.region, baseUrl }
  })
}

/** A key or a sign-in, with all that is known of it. */
export type Account = KeyAccount | SignInAccount

export interface KeyAccount {
  readonly name: string
  /** Whom it serves, if not everybody. */
  readonly owner: string | undefined
  readonly requestsPerMinute: number | undefined
  readonly apiKey: string
  readonly plan: Plan
  readonly region: Region
  /** Where its API is, if not where plan and region say. */
  readonly baseUrl: string | undefined
}

export interface SignInAccount {
  readonly name: string
  readonly owner: string | undefined
  readonly requestsPerMinute: number | undefined
  /** The file of its credential. */
  readonly oauth: string
  readonly baseUrl: string | undefined
  readonly authUrl: string | undefined
}

/** What no member shows alone. */
export function mistakesIn(settings: QwenConfig): readonly ConfigMistake[] {
  const { apiKey, accounts } = settings
  const mistakes: ConfigMistake[] = []
  const report = (path: ConfigMistake['path'], message: string): void => void mistakes.push({ path, message })

  if (accounts === undefined && !apiKey) report(['apiKey'], 'is missing: give a key, or `accounts`')
  if (accounts !== undefined && apiKey) report(['apiKey'], 'must go into `accounts` as well, where there are any')
  const names = new Set<string>()
  for (const [at, account] of (accounts ?? []).entries()) {
    const path = ['accounts', at]
    if (names.has(account.name)) report([...path, 'name'], 'is the name of another account, too')
    names.add(account.name)
    if (account.oauth === undefined) {
      if (!account.apiKey) report(path, 'must have an `apiKey`, or `oauth` with the file of a sign-in')
      continue
    }
    for (const name of ['apiKey', 'region', 'plan'] as const) {
      if (account[name] !== undefined) report([...path, name], 'is for keys: an account with `oauth` has none')
    }
  }
  for (const [at, account] of accountsOf(settings).entries()) {
    const path = accounts === undefined ? [] : ['accounts', at]
    if ('plan' in account && account.baseUrl === undefined) checkPlace(account, [...path, 'region'], report)
  }
  return mistakes
}

function checkPlace(
  { plan, region }: KeyAccount,
  path: ConfigMistake['path'],
  report: (path: ConfigMistake['path'], message: string) => void,
): void {
  const regions = regionsOf(plan)
  if (regions.includes(region)) return
  const there = regions.map(name => `\`${name}\``).join(' or ')
  report(path, `must be ${there} for keys of \`plan: ${plan}\`, which is not to be had in \`${region}\``)
}
