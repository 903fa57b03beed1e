import { createHash } from 'node:crypto'
import type { Answer } from '../scenario.ts'
import { toHtmlAnswer, toJsonAnswer } from '../service/route.ts'
import { DEVICE_GRANT, renew, signIn } from '../service/sign-in.ts'
import type { IssuedToken } from '../service/tokens.ts'
import { WAF_PAGE } from './error-answer.ts'
import { POLLS, REFRESHES, toSignInError } from './poll-answers.ts'
import type { Asked, Route, Routes } from './route.ts'
import type { World } from './world.ts'

/** The public client's, and the only one that there is. */
export const CLIENT_ID = 'f0304373b74a44d2b584a3fb70ca9e56'
const SCOPE = 'openid profile email model.completion'
const CHALLENGE = /^[\w-]{43}$/

/** The sign-in server. */
export function oauthRoutes(world: World): Routes {
  const grants = new Map<string, (form: URLSearchParams, asked: Asked) => Answer | Promise<Answer>>([
    [DEVICE_GRANT, form => poll(world, form)],
    ['refresh_token', (form, asked) => refresh(world, form, asked)],
  ])
  return new Map([
    ['POST /api/v1/oauth2/device/code', formRoute(form => startDevice(world, form))],
    [
      'POST /api/v1/oauth2/token',
      formRoute((form, asked) => {
        const grant = grants.get(form.get('grant_type') ?? '')
        return grant === undefined ? toSignInError(400, 'unsupported_grant_type') : grant(form, asked)
      }),
    ],
    ['GET /authorize', { shape: () => 'html', handle: asked => ({ answer: approve(world, asked.query) }) }],
  ])
}

/** A route that takes a form. The firewall before it does not let clients pass that do not say who they are. */
function formRoute(answer: (form: URLSearchParams, asked: Asked) => Answer | Promise<Answer>): Route {
  return {
    shape: () => 'compat',
    async handle(asked) {
      const { headers, body } = asked
      if (!headers['user-agent']) return { answer: toHtmlAnswer(403, WAF_PAGE) }
      if (!headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
        return { answer: toSignInError(400, 'invalid_request', 'The body must be a form.') }
      }
      return { answer: await answer(new URLSearchParams(body), asked) }
    },
  }
}

function startDevice(world: World, form: URLSearchParams): Answer {
  const challenge = form.get('code_challenge') ?? ''
  const wrong =
    (form.get('client_id') !== CLIENT_ID && 'client_id') ||
    (!hasScope(form.get('scope')) && 'scope') ||
    (form.get('code_challenge_method') !== 'S256' && 'code_challenge_method') ||
    (!CHALLENGE.test(challenge) && 'code_challenge')
  if (wrong) return toSignInError(400, 'invalid_request', `${wrong} is missing or wrong`)

  const { interval, deviceExpiresIn, verificationUri } = world.signIn
  const { deviceCode, userCode } = world.devices.start(challenge)
  const uri = verificationUri ?? `${world.origin}/authorize`
  return toJsonAnswer({
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: uri,
    verification_uri_complete: `${uri}?user_code=${userCode}&client=qwen-code`,
    expires_in: deviceExpiresIn,
    ...(interval !== null && { interval }),
  })
}

function hasScope(scope: string | null): boolean {
  const asked = (scope ?? '').split(' ')
  return SCOPE.split(' ').every(word => asked.includes(word))
}

function approve(world: World, query: URLSearchParams): Answer {
  const device = world.devices.findUser(query.get('user_code') ?? '')
  if (device === undefined || query.get('client') === null) {
    return toHtmlAnswer(400, '<!DOCTYPE html>\n<p>user_code or client is null</p>\n')
  }
  device.approved = true
  return toHtmlAnswer(200, '<!DOCTYPE html>\n<p>You are signed in. This page can be closed.</p>\n')
}

function poll(world: World, form: URLSearchParams): Answer {
  const device = world.devices.find(form.get('device_code') ?? '')
  if (form.get('client_id') !== CLIENT_ID) return toSignInError(400, 'invalid_client')
  if (device === undefined || device.state !== 'waiting') return toSignInError(401, 'invalid_grant')
  if (toChallenge(form.get('code_verifier') ?? '') !== device.bound) {
    return toSignInError(400, 'invalid_grant', 'code_verifier does not fit code_challenge')
  }
  const next = world.devices.poll(device)
  if (next !== 'success') return POLLS[next]
  const names = ['access_token', 'refresh_token', 'token_type', 'expires_in', 'scope']
  return toTokenAnswer(world, signIn(world, `account-${device.userCode}`), names, world.signIn.loginOmits)
}

function toChallenge(verifier: string): string {
  return createHash('sha256').update(verifier, 'ascii').digest('base64url')
}

async function refresh(world: World, form: URLSearchParams, asked: Asked): Promise<Answer> {
  const next = await world.refreshes.take(asked.closed())
  if (next !== 'ok') return REFRESHES[next]
  if (form.get('client_id') !== CLIENT_ID) return REFRESHES.invalid
  const fresh = renew(world, form.get('refresh_token') ?? '', 'refresh_token')
  if (fresh === undefined) return REFRESHES.invalid
  const names = ['access_token', 'token_type', 'expires_in', 'refresh_token']
  return toTokenAnswer(world, fresh, names, world.signIn.refreshOmits)
}

/** The members of a token, in the order in which they are named; where it is good comes last. */
function toTokenAnswer(
  world: World,
  { accessToken, refreshToken }: IssuedToken,
  names: readonly string[],
  omitted: readonly string[],
): Answer {
  const members: Readonly<Record<string, unknown>> = {
    access_token: accessToken,
    refresh_token: refreshToken,
    token_type: 'Bearer',
    expires_in: world.signIn.expiresIn,
    scope: SCOPE,
    resource_url: world.signIn.resourceUrl ?? `${world.origin}/portal/v1`,
  }
  const told = [...names, 'resource_url'].filter(name => !omitted.includes(name))
  return toJsonAnswer(Object.fromEntries(told.map(name => [name, members[name]])))
}
