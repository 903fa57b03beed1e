import { isImproper } from '../chat-request.ts'
import type { ServiceHandler } from '../service/listener.ts'
import { remainingRetryAfter } from '../service/retry-after.ts'
import type { Call } from './calls.ts'
import { toErrorAnswer } from './error-answer.ts'
import { ServiceError } from './exceptions.ts'
import { signInRoutes } from './oidc.ts'
import { operationOf, runOperation } from './operations.ts'
import type { Asked } from './route.ts'
import type { World } from './world.ts'

/** What answers the requests that come to the service or to one of its sign-in services. */
export function createAmazonQHandler(world: World): ServiceHandler {
  const signIn = signInRoutes(world)
  return (request, response) => {
    response.setHeader('x-amzn-requestid', request.requestId)
    response.setHeader('date', new Date(world.clock.now()).toUTCString())
    const asked: Asked = { ...request, flavour: request.path === '/' ? 'json' : 'rest' }
    const route = signIn.get(`${asked.method} ${asked.path}`)
    return {
      handle: () => (route === undefined ? runOperation(world, asked, operationOf(asked)) : route(asked)),
      toErrorAnswer(error) {
        const refusal = isImproper(error) ? new ServiceError('invalid-parameter', error.message) : error
        if (!(refusal instanceof ServiceError)) return undefined
        const { fault, until } = refusal
        const headers = until === null ? {} : remainingRetryAfter(until - world.clock.now(), world.service.retryAfter)
        return toErrorAnswer(fault, asked.flavour, headers)
      },
      answered: route === undefined ? noteCall(world, asked) : () => {},
    }
  }
}

/** Remembers a call to an operation; the function takes the status of its answer. */
function noteCall({ calls, sent }: World, asked: Asked): (status: number) => void {
  const { headers, flavour, bearer } = asked
  const [, keyId = ''] = /Credential=([^/,]*)/.exec(headers.authorization ?? '') ?? []
  const credential = bearer || keyId
  const call: Call = {
    operation: operationOf(asked) ?? 'unknown',
    flavour,
    credential,
    invocationId: headers['amz-sdk-invocation-id']?.toString() ?? null,
    attempt: headers['amz-sdk-request']?.toString() ?? null,
    status: null,
  }
  calls.note(call)
  const answered = sent.note(credential)
  return status => {
    call.status = status
    answered(status)
  }
}
