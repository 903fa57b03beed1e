import type { Answer } from '../scenario.ts'
import { toHtmlAnswer, toJsonAnswer } from '../service/route.ts'
import { DEVICE_GRANT, renew, signIn } from '../service/sign-in.ts'
import type { IssuedToken } from '../service/tokens.ts'
import { kindOf } from './accounts.ts'
import { SCRIPTED, SIGN_IN_ERRORS } from './poll-answers.ts'
import type { Asked, Handle } from './route.ts'
import type { World } from './world.ts'

const BUILDER_URL = 'https://view.awsapps.com/start'

type Form = Readonly<Record<string, unknown>>

/** The sign-in services: method, blank, path → route. */
export function signInRoutes(world: World): ReadonlyMap<string, Handle> {
  return new Map<string, Handle>([
    ['POST /client/register', withForm(form => register(world, form))],
    ['POST /device_authorization', withForm(form => startDevice(world, form))],
    ['POST /token', withForm((form, asked) => createToken(world, form, asked))],
    ['POST /refreshToken', withForm((form, asked) => refreshSocial(world, form, asked))],
    ['GET /device', asked => ({ answer: approve(world, asked.query) })],
  ])
}

/** A route that takes JSON. */
function withForm(answer: (form: Form, asked: Asked) => Answer | Promise<Answer>): Handle {
  return async asked => {
    let form: unknown
    try {
      form = JSON.parse(asked.body)
    } catch {
      return { answer: SIGN_IN_ERRORS['invalid-request'] }
    }
    const isForm = typeof form === 'object' && form !== null
    return { answer: isForm ? await answer(form as Form, asked) : SIGN_IN_ERRORS['invalid-request'] }
  }
}

function toSeconds(moment: number): number {
  return Math.floor(moment / 1000)
}

function register({ clients, signIn }: World, { clientName, clientType, scopes }: Form): Answer {
  if (typeof clientName !== 'string' || clientName === '' || clientType !== 'public') {
    return SIGN_IN_ERRORS['invalid-request']
  }
  const isScoped = scopes === undefined || (Array.isArray(scopes) && scopes.every(isScope))
  if (!isScoped) return SIGN_IN_ERRORS['invalid-scope']
  const { clientId, clientSecret, issuedAt, expiresAt } = clients.register(signIn.clientExpiresIn * 1000)
  return toJsonAnswer({
    clientId,
    clientSecret,
    clientIdIssuedAt: toSeconds(issuedAt),
    clientSecretExpiresAt: toSeconds(expiresAt),
  })
}

function isScope(scope: unknown): boolean {
  return typeof scope === 'string' && /^(codewhisperer|sso):\w+/.test(scope)
}

function startDevice(world: World, { clientId, clientSecret, startUrl }: Form): Answer {
  const client = world.clients.live(clientId, clientSecret)
  if (client === undefined) return SIGN_IN_ERRORS['invalid-client']
  if (typeof startUrl !== 'string' || !URL.canParse(startUrl)) return SIGN_IN_ERRORS['invalid-request']
  const { interval, deviceExpiresIn, verificationUri } = world.signIn
  const { deviceCode, userCode } = world.devices.start({ clientId: client.clientId, startUrl })
  const uri = verificationUri ?? `${world.origin}/device`
  return toJsonAnswer({
    deviceCode,
    userCode,
    verificationUri: uri,
    verificationUriComplete: `${uri}?user_code=${userCode}`,
    expiresIn: deviceExpiresIn,
    ...(interval !== null && { interval }),
  })
}

function approve({ devices }: World, query: URLSearchParams): Answer {
  const device = devices.findUser(query.get('user_code') ?? '')
  const words = device === undefined ? 'There is no such code.' : 'You are signed in. This page can be closed.'
  if (device !== undefined) device.approved = true
  return toHtmlAnswer(device === undefined ? 404 : 200, `<!DOCTYPE html>\n<p>${words}</p>\n`)
}

function createToken(world: World, form: Form, asked: Asked): Answer | Promise<Answer> {
  const client = world.clients.live(form['clientId'], form['clientSecret'])
  if (form['grantType'] === 'refresh_token') return refresh(world, form, asked, client !== undefined)
  if (client === undefined) return SIGN_IN_ERRORS['invalid-client']
  return form['grantType'] === DEVICE_GRANT ? poll(world, form, client.clientId) : SIGN_IN_ERRORS['unsupported-grant']
}

function poll(world: World, { deviceCode }: Form, clientId: string): Answer {
  const device = world.devices.find(String(deviceCode))
  if (device === undefined || device.state !== 'waiting' || device.bound.clientId !== clientId) {
    return SIGN_IN_ERRORS['invalid-grant']
  }
  const next = world.devices.poll(device)
  if (next !== 'success') return SCRIPTED[next]
  const kind = device.bound.startUrl === BUILDER_URL ? 'builder' : 'pro'
  return toTokenAnswer(world, signIn(world, `${kind}-${device.userCode}`), world.signIn.loginOmits)
}

async function refresh(world: World, form: Form, asked: Asked, isClient: boolean): Promise<Answer> {
  const next = await world.refreshes.take(asked.closed())
  if (next !== 'ok') return SCRIPTED[next]
  if (!isClient) return SIGN_IN_ERRORS['invalid-client']
  const fresh = renew(world, String(form['refreshToken']), 'refreshToken')
  return fresh === undefined ? SIGN_IN_ERRORS['invalid-grant'] : toTokenAnswer(world, fresh, world.signIn.refreshOmits)
}

/** The sign-in of Kiro, which knows no clients and tells the profile. */
async function refreshSocial(world: World, form: Form, asked: Asked): Promise<Answer> {
  const next = await world.refreshes.take(asked.closed())
  if (next !== 'ok') return SCRIPTED[next]
  const fresh = renew(world, String(form['refreshToken']), 'refreshToken')
  if (fresh === undefined) return { status: 401, body: '{"message":"Bad credentials"}' }
  const [profileArn] = kindOf(world.accounts.named(fresh.account)).accepted
  return toTokenAnswer(world, fresh, ['tokenType', ...world.signIn.refreshOmits], { profileArn })
}

function toTokenAnswer(
  { signIn }: World,
  { accessToken, refreshToken }: IssuedToken,
  omitted: readonly string[],
  more: object = {},
): Answer {
  const members = { accessToken, tokenType: 'Bearer', expiresIn: signIn.expiresIn, refreshToken, ...more }
  return toJsonAnswer(Object.fromEntries(Object.entries(members).filter(([name]) => !omitted.includes(name))))
}
