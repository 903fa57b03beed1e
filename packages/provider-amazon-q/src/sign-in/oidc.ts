import type { SSOOIDC, SSOOIDCClientConfig } from '@aws-sdk/client-sso-oidc'
import { GatewayError, mask, toSafeText } from '@millrace/core'
import { exchange, type SignInServer } from './exchange.ts'

/** What AWS's sign-in server refuses. `message` may be shown. */
export class OidcRefusal extends Error {
  override readonly name = 'OidcRefusal'
  /** As in `slow_down`; empty where the answer is not one of that server. */
  readonly code: string
  readonly status: number

  constructor(message: string, { code, status }: { code: string; status: number }) {
    super(message)
    this.code = code
    this.status = status
  }
}

/**
 * One call to AWS's sign-in server, by its official client; `secrets` are what its words must not repeat.
 * @throws {OidcRefusal}
 * @throws {UpstreamError} of the connection
 */
export async function askOidc<Answer>(
  server: SignInServer,
  { region, secrets, signal }: { region: string; secrets: readonly (string | undefined)[]; signal: AbortSignal },
  call: (client: SSOOIDC) => Promise<Answer>,
): Promise<Answer> {
  // Not before it is needed: it is large.
  const { SSOOIDC } = await import('@aws-sdk/client-sso-oidc')
  try {
    return await call(new SSOOIDC(toClientConfig(server, region, signal)))
  } catch (error) {
    // The client's own errors carry the whole answer along, tokens included: nothing of them may go on.
    throw error instanceof GatewayError ? error : toRefusal(error, secrets)
  }
}

/** All that the client would else look for in the environment and in AWS's own files is given. */
function toClientConfig({ upstream, authUrl }: SignInServer, region: string, signal: AbortSignal): SSOOIDCClientConfig {
  return {
    region,
    endpoint: authUrl ?? `https://oidc.${region}.amazonaws.com`,
    // Refresh tokens are good for one use, and whoever calls knows when to ask again.
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'standard',
    authSchemePreference: [],
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    userAgentAppId: async () => undefined,
    defaultUserAgentProvider: async () => [['millrace']],
    requestHandler: {
      async handle({ protocol, hostname, port, path, headers, body }: ClientRequest) {
        const url = new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`)
        // The client's bytes have a `valueOf` that warns, which `Buffer.from` calls.
        const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.concat([body])
        const { status, ...reply } = await exchange(upstream, { url, headers, body: bytes }, signal)
        return { response: { statusCode: status, reason: '', ...reply } }
      },
    },
  }
}

/** As the client hands it over. */
interface ClientRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number | undefined
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

interface ClientError {
  readonly error?: unknown
  readonly error_description?: unknown
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly statusCode?: number }
}

function toRefusal(error: unknown, secrets: readonly (string | undefined)[]): OidcRefusal {
  const { error: code, error_description: description, $metadata, $response } = error as ClientError
  const status = $response?.statusCode ?? $metadata?.httpStatusCode ?? 0
  const words = [code, description].filter(word => typeof word === 'string' && word !== '').join(': ')
  const message =
    toShownWords(words, secrets) || `the sign-in server answered ${status} without a word that can be read`
  return new OidcRefusal(message, { code: typeof code === 'string' ? code : '', status })
}

/** What a server says, without the secrets that it may repeat. */
export function toShownWords(words: string, secrets: readonly (string | undefined)[]): string {
  return toSafeText(mask(words, secrets))
}
