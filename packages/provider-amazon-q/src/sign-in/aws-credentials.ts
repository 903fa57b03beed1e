import { CredentialError, fingerprintOf, orAborted, systemClock, type Clock } from '@millrace/accounts'
import { GatewayError } from '@millrace/core'
import type { SignatureV4 } from '@smithy/signature-v4'
import type { AwsAccount } from '../config.ts'
import type { Credentials } from './credentials.ts'

const SERVICE = 'q'
/** How long the environment, files and the machine may take to give credentials. */
const LIMIT_MS = 10_000
/** When to look again after they gave none. */
const LOOK_AGAIN_MS = 60_000
/** A signature that is older or younger than this is refused. */
const MAX_SKEW_MS = 300_000
const SIGNED: ReadonlySet<string> = new Set(['authorization', 'x-amz-date', 'x-amz-security-token'])

/** An access key, as AWS's own packages know it. */
interface AwsKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}
type KeySource = (options?: { readonly forceRefresh?: boolean }) => Promise<AwsKey>

/** Credentials that each request is signed with. */
export function createAwsCredentials(
  { name, aws }: Pick<AwsAccount, 'name' | 'aws'>,
  { region, clock = systemClock }: { region: string; clock?: Clock },
): Credentials {
  let source: Promise<KeySource> | undefined
  /** How much the clock of the service is ahead of ours, milliseconds. */
  let skewMs = 0
  let usedKeyId: string | undefined

  async function keyFor(signal: AbortSignal, options?: { readonly forceRefresh: boolean }): Promise<AwsKey> {
    try {
      source ??= openSource(aws, region)
      return await within(
        source.then(get => get(options)),
        signal,
      )
    } catch (error) {
      if (error instanceof GatewayError) throw error
      // What went wrong may name commands and files of the machine: that is for the log.
      const message = `${name} has no AWS credentials: none are to be had where they are looked for.`
      throw new CredentialError(message, { untilMs: clock.now() + LOOK_AGAIN_MS, cause: error })
    }
  }

  return {
    operation: 'SendMessage',
    fingerprint: fingerprintOf(JSON.stringify([aws, region])),
    identity: async () => ({ isKiro: false, profileArn: undefined, region }),
    async authorise({ method, url, headers, body }, signal) {
      const key = await keyFor(signal)
      usedKeyId = key.accessKeyId
      const signer = await createSigner(key, region)
      const request = {
        method,
        protocol: url.protocol,
        hostname: url.hostname,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: { ...headers, host: url.host },
        body,
      }
      const signed = await signer.sign(request, { signingDate: new Date(clock.now() + skewMs) })
      return Object.fromEntries(Object.entries(signed.headers).filter(([header]) => SIGNED.has(header)))
    },
    async renew(_refused, signal, date = '') {
      const skew = Date.parse(date) - clock.now()
      if (Math.abs(skew - skewMs) > MAX_SKEW_MS) skewMs = skew
      else await keyFor(signal, { forceRefresh: true })
    },
    async isRenewed() {
      const key = await keyFor(AbortSignal.timeout(LIMIT_MS), { forceRefresh: true })
      return key.accessKeyId !== usedKeyId
    },
  }
}

async function openSource(aws: AwsAccount['aws'], region: string): Promise<KeySource> {
  const { profile, accessKeyId, secretAccessKey, sessionToken } = aws === true ? {} : aws
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    const key = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? undefined : { sessionToken }) }
    return async () => key
  }
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  // Files are read anew each time, since people and programs put new keys into them.
  const common = { ignoreCache: true, clientConfig: { region } }
  return defaultProvider(profile === undefined ? common : { ...common, profile })
}

async function createSigner(key: AwsKey, region: string): Promise<SignatureV4> {
  const [{ SignatureV4 }, { Hash }] = await Promise.all([import('@smithy/signature-v4'), import('@smithy/hash-node')])
  return new SignatureV4({
    credentials: key,
    region,
    service: SERVICE,
    sha256: Hash.bind(null, 'sha256'),
    applyChecksum: false,
  })
}

/** The outcome of `promise`, unless `signal` fires or the time is over. */
async function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`none within ${LIMIT_MS / 1000} s`)), LIMIT_MS)
  try {
    return await orAborted(Promise.race([promise, late]), signal)
  } finally {
    clearTimeout(timer)
  }
}
